# %%
import tensorflow as tf


# %%
def column_summary(x):
    """Return the sum, the mean and the standard deviation of each column, as NumPy would."""
    raise NotImplementedError("column_summary: which dtype would NumPy give each of the three?")


# %%
def replace_rows(x, indices, rows):
    """Return x with some of its rows replaced."""
    raise NotImplementedError("replace_rows: look at the indices first")


# %%
def swap_axes(x):
    """Return x with its first two axes swapped."""
    raise NotImplementedError("swap_axes")


# %%
class RunningTotal(tf.Module):
    """Adds up vectors."""

    def __init__(self, size):
        super().__init__()
        raise NotImplementedError("RunningTotal: make the variable")

    def add(self, x):
        """Add a vector to the total."""
        raise NotImplementedError("RunningTotal.add")

    def result(self):
        """Return the total so far."""
        raise NotImplementedError("RunningTotal.result")
