add_bench(power_on_reset CASES "Vpower_on_reset_8 CYCLES=8")
add_bench(status_leds CASES "Vstatus_leds_model")
