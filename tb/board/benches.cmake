add_bench(power_on_reset CASES "Vpower_2 CYCLES=2" "Vpower_16 CYCLES=16")
add_bench(status_leds CASES "Vstatus_leds")
