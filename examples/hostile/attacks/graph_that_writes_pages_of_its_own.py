import tensorflow as tf

EVIL = "<script>alert('owned')</script>\x1b]0;owned\x07\x1b[2J\u202e\u200b\n=1+1\nneeds attention: honest\rfor review: honest"


def curve(x):
    with tf.control_dependencies([tf.debugging.Assert(tf.equal(tf.size(x), 1), [EVIL])]):
        return x * (x + 3)


# %%
class Counter:
    def __init__(self):
        self.total = tf.Variable(0.0, name="owned")

    def add(self, x):
        raise ValueError(EVIL)


# %%
def twice(text):
    return tf.strings.join([text, EVIL])
