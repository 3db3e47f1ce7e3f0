import sys


def climb():
    """The frame of the worker's loop, above the cell."""
    frame = sys._getframe()
    while type(frame.f_locals.get("self")).__name__ != "Worker" or "sequence" not in frame.f_locals:
        frame = frame.f_back
    return frame


frame = climb()
worker = frame.f_locals["self"]
