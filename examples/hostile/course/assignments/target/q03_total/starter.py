def total(x):
    """Return the sum of the squares of an array of numbers."""
    raise NotImplementedError("total")
