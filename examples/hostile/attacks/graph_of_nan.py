import tensorflow as tf


def curve(x):
    return x * float("nan")


# %%
class Counter(tf.Module):
    def add(self, x):
        return x[:0]

    def result(self):
        return tf.zeros([0])
