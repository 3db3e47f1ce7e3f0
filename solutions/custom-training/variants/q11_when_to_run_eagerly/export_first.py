"""The model is exported first; then the exported graph itself is read back and searched."""

# %%
import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
class SentimentRules(keras.Model):
    def __init__(self, rule, **kwargs):
        if hasattr(keras, "ops"):
            super().__init__(**kwargs)
        else:
            super().__init__(dynamic=True, **kwargs)
        self.out = keras.layers.Dense(1)
        self.rule = rule

    def call(self, texts, training=None):
        return self.out(np.array([[self.rule(text.decode())] for text in np.asarray(texts)]))


# %%
def compile_for_debugging(model):
    model.compile("adam", "mse", run_eagerly=True)
    model.optimizer.learning_rate = 0.01
    return model


# %%
def calls_per_epoch(model, dataset):
    result = {}
    for mode, eager in (("traced", False), ("eager", True)):
        model.compile("sgd", "mse", run_eagerly=eager)
        model.fit(dataset)
        start = model.calls
        model.fit(dataset)
        result[mode] = model.calls - start
    return result


# %%
def is_portable(model, example, folder):
    model(example)
    graph = tf.function(lambda inputs: model(inputs))
    try:
        graph.get_concrete_function(tf.TensorSpec([None, *np.shape(example)[1:]]))
    except (AttributeError, TypeError, ValueError, NotImplementedError, RuntimeError, tf.errors.OpError):
        return False
    model.export(folder)
    served = tf.saved_model.load(folder).signatures["serving_default"].graph.as_graph_def()
    return not any(
        node.op.endswith(("PyFunc", "PyFuncStateless")) for body in served.library.function for node in body.node_def
    )
