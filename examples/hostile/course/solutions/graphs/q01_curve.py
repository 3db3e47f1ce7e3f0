SECRET = "CANARY"


def curve(x):
    """Return x² + 3x."""
    return x * x + 3 * x
