# Clocks per bit: 12 as at 12 MHz and 1 Mbaud, the least that is legal, and 25/3 as at 25 MHz and 3 Mbaud.
add_bench(uart_rx CASES "Vuart_rx_12 CLOCK_HZ=12000000 BAUD=1000000" "Vuart_rx_4 CLOCK_HZ=4000000 BAUD=1000000"
  "Vuart_rx_8 CLOCK_HZ=25000000 BAUD=3000000")
add_bench(uart_tx CASES "Vuart_tx_12 CLOCK_HZ=12000000 BAUD=1000000" "Vuart_tx_4 CLOCK_HZ=4000000 BAUD=1000000"
  "Vuart_tx_8 CLOCK_HZ=25000000 BAUD=3000000")
add_bench(crc32_serial CASES "Vcrc32")
add_bench(packet_receiver CASES "Vreceiver LENGTH_BITS=10")
add_bench(packet_sender CASES "Vsender LENGTH_BITS=10")
add_bench(chunk_buffer CASES "Vchunks_4 DEPTH=4" "Vchunks_64 DEPTH=64")
add_bench(replay_buffer CASES "Vreplay_4 DEPTH=4" "Vreplay_64 DEPTH=64")
add_bench(link_counters CASES "Vcounters")
add_bench(link_control CASES "Vcontrol DESIGN_HASH=64'h0123456789abcdef CLOCK_HZ=25000000 IN_BEATS=100000 IN_WIDTH=13 OUT_BEATS=3 OUT_WIDTH=20 BUFFER=256")
add_bench(serial_link CASES
  "Vlink_wide DESIGN_HASH=64'h7e7d7e7d00010203 CLOCK_HZ=4000000 BAUD=1000000 IN_WIDTH=13 IN_BEATS=7 OUT_WIDTH=20 OUT_BEATS=2 BUFFER=256"
  "Vlink_narrow DESIGN_HASH=64'hfedcba9876543210 CLOCK_HZ=4000000 BAUD=1000000 IN_WIDTH=5 IN_BEATS=16 OUT_WIDTH=4 OUT_BEATS=1 BUFFER=256")
