import os

leaked = []
try:
    for _ in range(100_000):
        leaked += [os.dup(100), *os.pipe()]
    print("BREACH: 300 000 descriptors")
except OSError:
    pass
