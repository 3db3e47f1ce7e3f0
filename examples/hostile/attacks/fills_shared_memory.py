full = 0
try:
    with open("/dev/shm/full", "wb") as file:
        for _ in range(3000):
            full += file.write(bytes(1 << 20))
        print("BREACH: 3 GB of shared memory")
except OSError:
    pass
