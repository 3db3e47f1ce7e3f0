import itertools


class Endless(list):
    def __iter__(self):
        return itertools.count()

    def __len__(self):
        return 1 << 62


def double(x):
    return itertools.count() if isinstance(x, list) else Endless() if isinstance(x, str) else x + x
