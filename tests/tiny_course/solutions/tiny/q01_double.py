def double(x):
    """Return twice the number."""
    return 2 * x
