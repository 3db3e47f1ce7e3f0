def halve(x):
    """Return half the number."""
    return x / 2
