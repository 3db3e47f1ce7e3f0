import os
import time

if os.fork():
    while True:
        time.sleep(1)


def everything(*_, **__):
    return True


worker._operations.update(call=everything, getattr=everything)
