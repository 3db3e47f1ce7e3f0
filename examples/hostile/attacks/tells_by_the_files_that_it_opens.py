import fcntl
import os
import time

NAMES = sorted(entry.path for entry in os.scandir("/usr/bin") if entry.is_file(follow_symlinks=False))[:20]
TEXT = b"told by another"
end = time.monotonic() + 2.5
while time.monotonic() < end:
    for byte in TEXT:
        for number in (byte >> 4, 17, byte & 15, 17):
            file = os.open(NAMES[number], os.O_RDONLY)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                time.sleep(0.002)
            except OSError:
                pass
            os.close(file)
