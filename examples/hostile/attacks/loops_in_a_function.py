def double(x):
    while type(x) is int:
        pass
    return x + x
