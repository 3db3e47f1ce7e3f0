# %%
import tensorflow as tf
from tensorflow import keras

LEGACY = not hasattr(keras, "ops")
PYTHON_OPS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


# %%
class SentimentRules(keras.Model):
    """Scores texts by an ordinary Python function, and learns what a score is worth."""

    def __init__(self, rule, **kwargs):
        super().__init__(**({"dynamic": True} if LEGACY else {}), **kwargs)
        self.rule = rule
        self.weigh = keras.layers.Dense(1)

    def call(self, texts):
        """Return one prediction for each text, in shape (batch, 1)."""
        scores = [[self.rule(text.decode())] for text in texts.numpy()]
        return self.weigh(tf.constant(scores))


# %%
def compile_for_debugging(model):
    """Compile a model so that its Python runs for every batch, and return it."""
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), run_eagerly=True)
    return model


# %%
def calls_per_epoch(model, dataset):
    """Return how much model.calls grows in an epoch after the first, as {"eager": …, "traced": …}."""
    counts = {}
    for name, eager in (("eager", True), ("traced", False)):
        model.compile(loss="mse", run_eagerly=eager)
        model.fit(dataset)
        before = model.calls
        model.fit(dataset)
        counts[name] = model.calls - before
    return counts


# %%
def is_portable(model, example, folder):
    """Return whether a model needs no Python; export it to the folder if so."""
    model(example)
    spec = tf.TensorSpec([None, *example.shape[1:]])
    try:
        graph = tf.function(model).get_concrete_function(spec).graph.as_graph_def()
    except Exception:  # whatever a model raises when it is traced, though it can be called
        return False
    nodes = [*graph.node, *(inner for body in graph.library.function for inner in body.node_def)]
    if PYTHON_OPS.intersection(node.op for node in nodes):
        return False
    model.export(folder)
    return True
