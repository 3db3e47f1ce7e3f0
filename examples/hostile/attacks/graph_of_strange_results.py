import tensorflow as tf


def curve(x):
    return tf.RaggedTensor.from_row_lengths(x, [tf.size(x)])


# %%
class Counter:
    def __init__(self):
        self.total = tf.Variable(0.0)

    def add(self, x):
        return tf.data.Dataset.from_tensors(x)

    def result(self):
        return {"nan": tf.constant([float("nan")]), "sparse": tf.sparse.eye(3), "none": None}


# %%
def twice(text):
    return tf.raw_ops.ParseTensor(serialized=tf.io.serialize_tensor([text, text]), out_type=tf.string)[:0]
