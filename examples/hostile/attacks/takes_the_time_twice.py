import time

runs = []


def double(x):
    """The first run takes most of the time of a check, and asks for another one, which never ends."""
    runs.append(x)
    if len(runs) % 2:
        time.sleep(1.5)
        raise RuntimeError("determinism is enabled")
    while True:
        pass


def total(x):
    """It asks again in each run."""
    raise RuntimeError("deterministic ops are enabled")
