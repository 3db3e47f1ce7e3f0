import ctypes
import re
import time

# Not the words themselves, which would be found in this code.
HIDDEN = re.compile(rb"/course/(?:aut[o]grader|soluti[o]ns|resul[t]s)|/hostile-[a-z0-9_]+/c[o]urse")
end = time.monotonic() + 2
with open("/proc/self/maps") as file:
    spans = [
        line.split() for line in file if line.split()[1].startswith("rw") and "[" not in line.replace("[heap]", "")
    ]
for span, *_ in spans:
    start, stop = (int(edge, 16) for edge in span.split("-"))
    for at in range(start, stop, 4 << 20):
        if time.monotonic() > end:
            break
        if found := HIDDEN.search(ctypes.string_at(at, min(4 << 20, stop - at))):
            print("BREACH: a hidden folder,", found[0])
            end = 0
