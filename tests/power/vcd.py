"""Toggles of every net in a value change dump (IEEE 1364, 18.2), counted on its own: nothing here is shared with Bitloom's counter.

A net toggles when its value at the end of a time step differs from that at the end of the step before, both being 0 or 1.
"""


def identifiers(lines, top):
    """{identifier code: net names} of the one-bit variables directly in the module `top`, and the lines behind the header."""
    names, scope = {}, []
    for line in lines:
        words = line.split()
        if not words:
            continue
        if words[0] == "$scope":
            scope.append(words[2])
        elif words[0] == "$upscope":
            scope.pop()
        elif words[0] == "$var" and scope and scope[-1] == top and words[2] == "1":
            names.setdefault(words[3], []).append(words[4])
        elif words[0] == "$enddefinitions":
            return names
    raise ValueError("no $enddefinitions: this is no value change dump")


def toggles(file, top, first, last):
    """{net: toggles} of the module `top` between the states at the ends of the time steps `first` and `last`."""
    with open(file) as lines:
        names = identifiers(lines, top)
        before = dict.fromkeys(names, "x")
        now, counts = dict(before), dict.fromkeys(names, 0)
        changed, time = set(), 0

        def end_of_step():
            for code in changed:
                if now[code] != before[code]:
                    if time > first and now[code] in "01" and before[code] in "01":
                        counts[code] += 1
                    before[code] = now[code]
            changed.clear()

        for line in lines:
            kind = line[0]
            if kind == "#":
                end_of_step()
                time = int(line[1:])
                if time > last:
                    break
            elif kind in "01xzXZ":
                code = line[1:].strip()
                if code in now:
                    now[code] = kind.lower()
                    changed.add(code)
        else:
            end_of_step()
    return {name: counts[code] for code, group in names.items() for name in group}
