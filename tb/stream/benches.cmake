add_bench(skid_buffer CASES "Vskid_w1 WIDTH=1" "Vskid_w70 WIDTH=70")
add_bench(stream_fifo CASES
  "Vfifo_d1 WIDTH=5 DEPTH=1" "Vfifo_d2 WIDTH=33 DEPTH=2" "Vfifo_d8 WIDTH=9 DEPTH=8" "Vfifo_d9 WIDTH=70 DEPTH=9" "Vfifo_d16 WIDTH=4 DEPTH=16")
add_bench(stream_upsize CASES "Vupsize_w1_r2 WIDTH=1 RATIO=2" "Vupsize_w7_r3 WIDTH=7 RATIO=3" "Vupsize_w24_r8 WIDTH=24 RATIO=8")
add_bench(stream_downsize CASES "Vdownsize_w1_r2 WIDTH=1 RATIO=2" "Vdownsize_w7_r3 WIDTH=7 RATIO=3" "Vdownsize_w24_r8 WIDTH=24 RATIO=8")
add_bench(stream_fork CASES "Vfork_2 WIDTH=8 OUTPUTS=2" "Vfork_3 WIDTH=65 OUTPUTS=3")
add_bench(stream_join CASES "Vjoin_2 WIDTH=8 INPUTS=2" "Vjoin_3 WIDTH=23 INPUTS=3")
add_bench(map_pad CASES
  "Vpad_all WIDTH=6 CHUNKS=2 HEIGHT=3 MAP_WIDTH=5 TOP=1 LEFT=2 BOTTOM=3 RIGHT=1 PAD_VALUE=6'd37"
  "Vpad_one WIDTH=66 CHUNKS=1 HEIGHT=1 MAP_WIDTH=1 TOP=0 LEFT=1 BOTTOM=0 RIGHT=0"
  "Vpad_none WIDTH=4 CHUNKS=3 HEIGHT=4 MAP_WIDTH=8 TOP=0 LEFT=0 BOTTOM=0 RIGHT=0"
  "Vpad_end WIDTH=4 CHUNKS=1 HEIGHT=2 MAP_WIDTH=3 TOP=0 LEFT=0 BOTTOM=2 RIGHT=2 PAD_VALUE=4'd9")
add_bench(column_unfold CASES
  "Vunfold_2of2 WIDTH=3 MAP_WIDTH=2 COLUMNS=2" "Vunfold_3of8 WIDTH=5 MAP_WIDTH=8 COLUMNS=3" "Vunfold_5of7 WIDTH=24 MAP_WIDTH=7 COLUMNS=5")
