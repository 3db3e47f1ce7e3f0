import os
import threading


def burn():
    while True:
        pass


for _ in range(8):
    if os.fork() == 0:
        burn()
threading.Thread(target=burn, daemon=True).start()
