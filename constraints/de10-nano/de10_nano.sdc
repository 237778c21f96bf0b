# DE10-Nano: the clock, and what needs no timing.
create_clock -name FPGA_CLK1_50 -period 20.000 [get_ports FPGA_CLK1_50]
derive_clock_uncertainty
# Slow or asynchronous, and synchronized inside
set_false_path -from [get_ports {ARDUINO_IO0 KEY0}] -to *
set_false_path -from * -to [get_ports {ARDUINO_IO1 LED[*]}]
