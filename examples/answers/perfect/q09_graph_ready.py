# %%
class NormalizedRanks(keras.layers.Layer):
    """The mean rank of equal values is halfway between the first and the last place that they take when sorted."""

    def call(self, inputs):
        in_order = tf.sort(inputs, axis=-1)
        first = tf.searchsorted(in_order, inputs, side="left")
        last = tf.searchsorted(in_order, inputs, side="right") - 1
        steps = tf.maximum(tf.shape(inputs)[-1] - 1, 1)
        ranks = tf.cast(first + last, tf.float32) / tf.cast(2 * steps, tf.float32)
        return tf.ensure_shape(ranks, inputs.shape)


# %%
def python_ranks(batch):
    out = []
    for row in batch.numpy().tolist():
        order = sorted(row)
        places = {value: order.index(value) + (order.count(value) - 1) / 2 for value in row}
        out.append([places[value] / max(len(row) - 1, 1) for value in row])
    return np.array(out, dtype="float32").reshape(batch.shape)


class PythonRanks(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_jit = False  # XLA cannot call back into Python

    def call(self, inputs):
        ranks = tf.py_function(python_ranks, [inputs], tf.float32)
        ranks.set_shape(inputs.shape)
        return ranks


# %%
example = tf.constant([[30.0, 10.0, 30.0, 20.0]])
print(NormalizedRanks()(example).numpy())
print(PythonRanks()(example).numpy())
