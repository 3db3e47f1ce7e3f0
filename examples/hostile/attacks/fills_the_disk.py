import os

for folder in ("/tmp", os.path.expanduser("~"), "/var/tmp", "/", "/dev"):
    try:
        for number in range(10):
            with open(os.path.join(folder, f"full-{number}"), "wb") as file:
                for _ in range(100):
                    file.write(bytes(1 << 20))
        print("BREACH: a gigabyte in", folder)
    except OSError:
        pass
