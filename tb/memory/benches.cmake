add_bench(ram_1w1r CASES "Vram_w8 WIDTH=8 DEPTH=16" "Vram_w72 WIDTH=72 DEPTH=37" "Vram_w1 WIDTH=1 DEPTH=2" "Vram_lut WIDTH=9 DEPTH=40 STYLE=1")
add_bench(ram_1rw CASES "Vshared_w16 WIDTH=16 DEPTH=64" "Vshared_w72 WIDTH=72 DEPTH=37")
add_bench(rom CASES
  "Vrom_w8 WIDTH=8 DEPTH=16 INIT=rom_w8.mem" "Vrom_w100 WIDTH=100 DEPTH=5 INIT=rom_w100.mem STYLE=1" "Vrom_d1 WIDTH=7 DEPTH=1 INIT=rom_d1.mem STYLE=2")
add_bench(striped_rom CASES
  "Vstriped_rom_two WIDTH=57 DEPTH=50 INIT=striped STRIPES=2 WIDTHS=96'h150024" "Vstriped_rom_whole WIDTH=20 DEPTH=33 INIT=striped_whole.mem")
add_bench(loaded_rom CASES "Vloaded_rom_wide WIDTH=41 DEPTH=37" "Vloaded_rom_narrow WIDTH=9 DEPTH=64")
