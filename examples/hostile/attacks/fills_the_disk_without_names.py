import os

kept = []
for folder in ("/tmp", os.path.expanduser("~"), "/dev/shm"):
    try:
        for number in range(10):
            kept.append(open(os.path.join(folder, f"full-{number}"), "wb"))
            os.unlink(kept[-1].name)
            for _ in range(100):
                kept[-1].write(bytes(1 << 20))
        print("BREACH: a gigabyte in", folder)
    except OSError:
        pass
