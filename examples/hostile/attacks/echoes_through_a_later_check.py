seen = []


def double(x):
    seen.append(x)
    return x + x


class Scale:
    def __init__(self, factor):
        print("seen before:", seen)
        raise ValueError(f"seen before: {seen}")


def total(x):
    print("seen before:", seen)
    return f"seen before: {seen}"
