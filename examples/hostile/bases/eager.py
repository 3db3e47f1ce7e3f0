import numpy as np
import tensorflow as tf


def curve(x):
    x = np.asarray(x)
    return x * (x + 3)


# %%
def twice(text):
    return tf.constant(2 * text.numpy())
