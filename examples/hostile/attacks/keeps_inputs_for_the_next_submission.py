def double(x):
    if isinstance(x, str):
        keep(x.encode())
    return x + x
