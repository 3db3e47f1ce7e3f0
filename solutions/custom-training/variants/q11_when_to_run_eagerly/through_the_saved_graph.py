"""Python through a py_function that a graph could call, counts by a callback, and a look at a concrete function."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
class SentimentRules(keras.Model):
    def __init__(self, rule, **kwargs):
        super().__init__(**kwargs)
        self.rule = rule
        self.dense = keras.layers.Dense(units=1)

    def score(self, text):
        return tf.constant([float(self.rule(text.numpy().decode("utf-8")))])

    def call(self, texts):
        scores = [tf.py_function(self.score, [text], tf.float32) for text in tf.unstack(texts)]
        return self.dense(tf.ensure_shape(tf.stack(scores), [None, 1]))


# %%
def compile_for_debugging(model):
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=1e-2), loss=keras.losses.MeanSquaredError(), run_eagerly=True
    )
    return model


# %%
class Counter(keras.callbacks.Callback):
    def __init__(self, model):
        super().__init__()
        self.counted, self.seen = model, []

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(self.counted.calls)

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(self.counted.calls)


def calls_per_epoch(model, dataset):
    def grown(eager):
        counter = Counter(model)
        model.compile(optimizer=keras.optimizers.Adam(), loss="mean_squared_error", run_eagerly=eager)
        model.fit(dataset, epochs=2, callbacks=[counter], verbose=0)
        return counter.seen[3] - counter.seen[2]

    return dict(eager=grown(True), traced=grown(False))


# %%
def is_portable(model, example, folder):
    example = tf.convert_to_tensor(example)
    model(example)

    @tf.function(input_signature=[tf.TensorSpec(shape=(None,) + tuple(example.shape[1:]), dtype=example.dtype)])
    def graph(inputs):
        return model(inputs, training=False)

    try:
        concrete = graph.get_concrete_function()
    except Exception as error:
        print(f"not portable: {error}")
        return False
    definition = concrete.graph.as_graph_def(add_shapes=False)
    operations = {node.op for node in definition.node}
    for function in definition.library.function:
        operations.update(node.op for node in function.node_def)
    if any("PyFunc" in operation for operation in operations):
        return False
    model.export(folder)
    return True
