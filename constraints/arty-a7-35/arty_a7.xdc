# Arty A7-35 and A7-100: the pins that Bitloom uses.
# Facts from https://github.com/Digilent/digilent-xdc (Arty-A7-35-Master.xdc) and https://github.com/litex-hub/litex-boards,
# litex_boards/platforms/digilent_arty.py.

# 100 MHz oscillator
set_property -dict {PACKAGE_PIN E3 IOSTANDARD LVCMOS33} [get_ports CLK100MHZ]
create_clock -name CLK100MHZ -period 10.000 [get_ports CLK100MHZ]

# USB serial (FT2232HQ), named as the FTDI chip sees it: the FPGA drives uart_rxd_out
set_property -dict {PACKAGE_PIN A9 IOSTANDARD LVCMOS33} [get_ports uart_txd_in]
set_property -dict {PACKAGE_PIN D10 IOSTANDARD LVCMOS33} [get_ports uart_rxd_out]

# Reset button, active low
set_property -dict {PACKAGE_PIN C2 IOSTANDARD LVCMOS33} [get_ports ck_rst]

# LEDs LD4 to LD7, active high
set_property -dict {PACKAGE_PIN H5 IOSTANDARD LVCMOS33} [get_ports {led[0]}]
set_property -dict {PACKAGE_PIN J5 IOSTANDARD LVCMOS33} [get_ports {led[1]}]
set_property -dict {PACKAGE_PIN T9 IOSTANDARD LVCMOS33} [get_ports {led[2]}]
set_property -dict {PACKAGE_PIN T10 IOSTANDARD LVCMOS33} [get_ports {led[3]}]

# Slow or asynchronous, and synchronized inside
set_false_path -from [get_ports {uart_txd_in ck_rst}]
set_false_path -to [get_ports {uart_rxd_out led[*]}]

set_property CFGBVS VCCO [current_design]
set_property CONFIG_VOLTAGE 3.3 [current_design]
