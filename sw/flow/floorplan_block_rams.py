# Run by nextpnr-ecp5 before packing. Block RAMs that have a number (attribute block_ram_order, sw/flow/floorplan.cpp) go to sites in that order: along a row of
# sites, back along the next, evenly spread over all of them, so that a layer's memories and with them its logic stay together.
numbered = []
for name, cell in ctx.cells:
    for key, value in cell.attrs:
        if key == "block_ram_order":
            numbered.append((int(value, 2), name))
if numbered:
    rows = {}
    for bel in ctx.getBels():
        if ctx.getBelType(bel) == "DP16KD":
            x, y = bel.split("/")[:2]
            rows.setdefault(int(y[1:]), []).append((int(x[1:]), bel))
    sites = []
    for number, y in enumerate(sorted(rows)):
        sites += [bel for _, bel in sorted(rows[y], reverse=number % 2 == 1)]
    if len(numbered) <= len(sites):  # otherwise nextpnr says what is missing
        for place, (_, name) in enumerate(sorted(numbered)):
            ctx.cells[name].setAttr("BEL", sites[place * len(sites) // len(numbered)])
