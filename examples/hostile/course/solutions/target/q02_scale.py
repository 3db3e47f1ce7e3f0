import tensorflow as tf

SECRET = "CANARY"


class Scale(tf.Module):
    """Multiplies a tensor of any shape by a factor."""

    def __init__(self, factor):
        super().__init__()
        self.factor = tf.constant(factor, tf.float32)

    def __call__(self, x):
        return self.factor * x
