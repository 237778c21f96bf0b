add_bench(power_on_reset CASES "Vpower_2 CYCLES=2" "Vpower_16 CYCLES=16")
add_bench(status_leds CASES "Vstatus_leds")
add_bench(flash_reader CASES "Vflash_fast OFFSET=24'h002345 WORDS=19 DESIGN_HASH=64'h0123456789abcdef HALF=1 WAIT=50"
  "Vflash_slow OFFSET=24'h002345 WORDS=19 DESIGN_HASH=64'h0123456789abcdef HALF=3 WAIT=50")
