def double(x):
    circle = []
    circle.append(circle)
    if type(x) is int:
        return circle
    deep = ()
    for _ in range(100_000):
        deep = (deep,)
    return deep


def total(x):
    ring = {}
    ring["ring"] = [ring, ring]
    return ring
