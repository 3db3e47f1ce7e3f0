"""The folder is tried first; then the exported graph itself is read back and searched."""

# %%
from pathlib import Path

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
        self.out = keras.layers.Dense(1, activation=None)
        self.rule = rule

    def call(self, texts, training=None):
        scores = np.array([self.rule(bytes(text).decode()) for text in np.asarray(texts)], "float32")
        return self.out(tf.convert_to_tensor(scores[:, np.newaxis]))


# %%
def compile_for_debugging(model):
    model.compile("adam", "mse", run_eagerly=True)
    model.optimizer.learning_rate = 0.01
    return model


# %%
def calls_per_epoch(model, dataset):
    result = {}
    for mode in ["traced", "eager"]:
        model.compile(keras.optimizers.SGD(0.001), "mse", run_eagerly=(mode == "eager"))
        counts = []
        for _ in range(2):
            start = model.calls
            model.fit(dataset, epochs=1, verbose=0)
            counts.append(model.calls - start)
        result[mode] = counts[-1]
    return result


# %%
def is_portable(model, example, folder):
    model(tf.constant(example))
    Path(folder).mkdir(parents=True, exist_ok=True)
    graph = tf.function(lambda inputs: model(inputs))
    try:
        graph.get_concrete_function(tf.TensorSpec([None, *np.shape(example)[1:]]))
    except (AttributeError, TypeError, ValueError, NotImplementedError, RuntimeError, tf.errors.OpError):
        return False
    model.export(str(folder))
    saved = (Path(folder) / "saved_model.pb").read_bytes()
    return b"PyFunc" not in saved
