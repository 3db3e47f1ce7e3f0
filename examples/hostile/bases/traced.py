import tensorflow as tf


def curve(x):
    return x * (x + 3)


# %%
class Counter:
    def __init__(self):
        self.total = tf.Variable(0.0)

    def add(self, x):
        self.total.assign_add(tf.reduce_sum(x))

    def result(self):
        return self.total + 0


# %%
def twice(text):
    return tf.strings.join([text, text])
