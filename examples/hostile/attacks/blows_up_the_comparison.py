def double(x):
    if isinstance(x, str):
        return "\n".join(f"{number % 7} {'ab' * (number % 50)}" for number in range(20_000))
    return 7 ** (10**5) if type(x) is int else x + x
