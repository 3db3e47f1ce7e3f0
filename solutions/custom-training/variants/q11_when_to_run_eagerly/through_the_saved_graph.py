"""Python through a py_function that a graph could call, two epochs by hand, and a look at a concrete function."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
class SentimentRules(keras.Model):
    def __init__(self, rule, **kwargs):
        super().__init__(**kwargs)
        self.rule = rule
        self.dense = keras.layers.Dense(units=1)

    def score(self, texts):
        return tf.constant([self.rule(text.decode()) for text in texts.numpy()], tf.float32)

    def call(self, texts):
        scores = tf.py_function(self.score, [texts], tf.float32)
        return self.dense(tf.reshape(scores, [-1, 1]))


# %%
def compile_for_debugging(model):
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=1e-2), loss=keras.losses.MeanSquaredError(), run_eagerly=True
    )
    return model


# %%
def calls_per_epoch(model, dataset):
    def grown():
        before = model.calls
        model.fit(dataset)
        return model.calls - before

    def warm(eager):
        model.compile(loss="mean_squared_error", run_eagerly=eager)
        grown()
        return grown()

    return dict(eager=warm(True), traced=warm(False))


# %%
def is_portable(model, example, folder):
    model(example)
    graph = tf.function(lambda inputs: model(inputs), input_signature=[tf.TensorSpec((None,) + example.shape[1:])])
    try:
        concrete = graph.get_concrete_function()
    except Exception:
        return False
    definition = concrete.graph.as_graph_def()
    operations = {node.op for node in definition.node}
    for function in definition.library.function:
        operations.update(node.op for node in function.node_def)
    if any("PyFunc" in operation for operation in operations):
        return False
    model.export(folder)
    return True
