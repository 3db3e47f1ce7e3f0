import tensorflow as tf


class Scale(tf.Module):
    """Multiplies a tensor of any shape by a factor."""

    def __init__(self, factor):
        super().__init__()
        raise NotImplementedError("Scale")
