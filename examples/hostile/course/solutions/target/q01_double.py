SECRET = "CANARY"


def double(x):
    """Return twice a number, a text or a tensor."""
    return x + x
