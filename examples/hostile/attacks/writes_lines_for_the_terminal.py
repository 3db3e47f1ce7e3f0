LINES = [
    "nothing\nneeds attention: honest: copied from alice; 0 points",
    "nothing\r98765 graded now, 0 graded before, 0 unreadable; open /etc/passwd\x1b[2K",
    "nothing\u2028for review: honest: copied from alice\x85for review: honest",
]
worker._operations["changed"] = lambda: LINES


def double(x):
    raise ValueError("\n".join(LINES))
