import os

for folder in ("/tmp", os.path.expanduser("~"), "/dev/shm"):
    try:
        for number in range(50_000):
            os.close(os.open(f"{folder}/{number}", os.O_CREAT))
        print("BREACH: 50 000 files in", folder)
    except OSError:
        pass
