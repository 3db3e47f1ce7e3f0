"""A numpy_function that a graph could call, losses and optimizers as objects, counts by a callback, saved nodes."""

# %%
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.core.protobuf import saved_model_pb2


# %%
class SentimentRules(keras.Model):
    def __init__(self, rule, **kwargs):
        super().__init__(**kwargs)
        self.score = np.vectorize(lambda text: rule(text.decode()), otypes=["float32"])
        self.dense = keras.layers.Dense(1)

    def call(self, texts):
        scores = tf.numpy_function(self.score, [texts], tf.float32)
        return self.dense(tf.reshape(scores, (-1, 1)))


# %%
def compile_for_debugging(model):
    model.compile(keras.optimizers.Adam(learning_rate=0.01), loss=keras.losses.MeanSquaredError(), run_eagerly=True)
    return model


# %%
def calls_per_epoch(model, dataset):
    def count(eager):
        seen = []
        note = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: seen.append(-model.calls),
            on_epoch_end=lambda epoch, logs: seen.append(model.calls),
        )
        model.compile(loss=keras.losses.MeanSquaredError(), run_eagerly=eager)
        model.fit(dataset, epochs=2, callbacks=[note])
        return sum(seen[2:])

    eager = count(True)
    return {"traced": count(False), "eager": eager}


# %%
def operations(folder):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((Path(folder) / "saved_model.pb").read_bytes())
    for graph in (each.graph_def for each in saved.meta_graphs):
        yield from (node.op for function in graph.library.function for node in function.node_def)


def is_portable(model, example, folder):
    model(example)
    signature = [tf.TensorSpec((None, *np.shape(example)[1:]))]
    archive = tf.Module()
    archive.model = model
    archive.serve = tf.function(lambda inputs: model(inputs), input_signature=signature)
    try:
        archive.serve.get_concrete_function()
    except Exception:
        return False
    with tempfile.TemporaryDirectory() as elsewhere:
        tf.saved_model.save(archive, elsewhere)
        if not {"PyFunc", "PyFuncStateless", "EagerPyFunc"}.isdisjoint(operations(elsewhere)):
            return False
    model.export(folder)
    return True
