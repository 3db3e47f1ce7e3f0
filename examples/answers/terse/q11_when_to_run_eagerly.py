import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
class SentimentRules(keras.Model):
    """Scores texts by an ordinary Python function, and learns what a score is worth."""

    def __init__(self, rule, **kwargs):
        super().__init__(**kwargs)
        self.rule = rule
        self.worth = keras.layers.Dense(1)
        self.worth.build((None, 1))

    def build(self, input_shape=None):
        self.built = True

    def call(self, texts):
        """Return one prediction for each text, in shape (batch, 1)."""
        texts = tf.reshape(texts, [-1]).numpy()
        scores = np.array([[float(self.rule(text.decode("utf-8")))] for text in texts], "float32")
        return self.worth(tf.constant(scores.reshape(-1, 1)))


# %%
def _compile(model, **kwargs):
    model.compile(loss="mean_squared_error", **kwargs)
    model.train_function = model.test_function = model.predict_function = None
    return model


def compile_for_debugging(model):
    """Compile a model so that its Python runs for every batch, and return it."""
    return _compile(model, optimizer=keras.optimizers.Adam(0.01), run_eagerly=True)


# %%
def calls_per_epoch(model, dataset):
    """Return how much model.calls grows in an epoch after the first, as {"eager": …, "traced": …}."""

    def growth(eager):
        marks = []
        note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: marks.append(model.calls))
        _compile(model, optimizer="sgd", run_eagerly=eager, jit_compile=False)
        model.fit(dataset, epochs=2, verbose=0, callbacks=[note])
        return int(marks[1] - marks[0])

    return {"eager": growth(True), "traced": growth(False)}


# %%
def _operations(graph):
    definition = graph.as_graph_def()
    bodies = [definition.node, *(f.node_def for f in definition.library.function)]
    return {node.op for body in bodies for node in body}


def is_portable(model, example, folder):
    """Return whether a model needs no Python; export it to the folder if so."""
    example = tf.convert_to_tensor(example, tf.float32)
    model(example)
    spec = tf.TensorSpec([None, *example.shape[1:]], tf.float32)
    try:
        graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec).graph
    except Exception:
        return False
    if _operations(graph) & {"PyFunc", "PyFuncStateless", "EagerPyFunc"}:
        return False
    model.export(str(folder), input_signature=[spec], verbose=False)
    return True
