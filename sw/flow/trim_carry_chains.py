# Run by nextpnr-ecp5 before packing. At both ends of each carry chain nextpnr puts a CCU2C that brings the carry in from the fabric, or out to it, whether
# the design uses that carry or not. Here carries that nobody uses are disconnected first: a carry out without a reader, and a carry in that the cell
# ignores (attribute carry_in_unused, rtl/fabric/carry_chain_ecp5.sv).
adders = []
readers = set()  # nets that some cell reads
for name, cell in ctx.cells:
    if cell.type == "CCU2C":
        adders.append((name, cell))
    for _, port in cell.ports:
        if port.net is not None and port.type == PortType.PORT_IN:
            readers.add(port.net.name)
for name, cell in adders:
    is_start = False
    for key, _ in cell.attrs:
        is_start = is_start or key == "carry_in_unused"
    if is_start and cell.ports["CIN"].net is not None:
        ctx.disconnectPort(name, "CIN")
    if cell.ports["COUT"].net is not None and cell.ports["COUT"].net.name not in readers:
        ctx.disconnectPort(name, "COUT")
