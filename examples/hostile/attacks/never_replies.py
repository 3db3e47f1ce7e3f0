import threading


def double(x):
    if type(x) is int:
        threading.Event().wait()
    return x + x
