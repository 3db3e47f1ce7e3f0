"""A reference solution; some of it raises, to show whose fault that is."""


def good():
    return 3


def same(x):
    return x


def fails_here():
    raise ValueError("the reference's own")
