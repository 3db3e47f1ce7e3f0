import tensorflow as tf

SECRET = "CANARY"


class Counter:
    """Sums vectors."""

    def __init__(self):
        self.total = tf.Variable(0.0)

    def add(self, x):
        """Add the sum of a vector."""
        self.total.assign_add(tf.reduce_sum(x))

    def result(self):
        """Return the sum of all."""
        return self.total.read_value()
