# 12 clocks per bit as at 12 MHz and 1 Mbaud, and the least that is legal.
add_bench(uart_rx CASES "Vuart_rx_12 CLOCK_HZ=12000000 BAUD=1000000" "Vuart_rx_4 CLOCK_HZ=4000000 BAUD=1000000")
add_bench(uart_tx CASES "Vuart_tx_12 CLOCK_HZ=12000000 BAUD=1000000" "Vuart_tx_4 CLOCK_HZ=4000000 BAUD=1000000")
add_bench(serial_bridge CASES
  "Vbridge_wide CLOCK_HZ=4000000 BAUD=1000000 IN_WIDTH=13 OUT_WIDTH=20 FRAME_BEATS=7"
  "Vbridge_narrow CLOCK_HZ=12000000 BAUD=1000000 IN_WIDTH=5 OUT_WIDTH=8 FRAME_BEATS=1 RX_FIFO_DEPTH=4")
