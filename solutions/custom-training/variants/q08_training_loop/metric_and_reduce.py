"""A Mean metric that is reset, a loss of Keras, signatures of unknown batch size, and the sum made by a subclass."""

# %%
import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
class WideAndDeep(keras.Model):
    def __init__(self, n_features):
        super().__init__()
        self.wide = keras.layers.Dense(1, name="wide")
        self.deep = keras.Sequential(
            [keras.Input((n_features,)), keras.layers.Dense(16), keras.layers.ReLU(), keras.layers.Dense(1)],
            name="deep",
        )

    def call(self, inputs):
        return self.wide(inputs) + self.deep(inputs)


def build_wide_and_deep(n_features):
    model = WideAndDeep(n_features)
    model(np.zeros((1, n_features), "float32"))
    return model


# %%
class Trainer:
    def __init__(self, model, wide_optimizer, deep_optimizer):
        self.model = model
        self.parts = [
            (optimizer, model.get_layer(name).trainable_weights)
            for name, optimizer in (("wide", wide_optimizer), ("deep", deep_optimizer))
        ]
        for optimizer, weights in self.parts:
            optimizer.build(weights)
        self.error = keras.losses.MeanSquaredError()
        self.mean = keras.metrics.Mean()
        self.graph = tf.function(self.step, reduce_retracing=True)

    def step(self, x, y):
        with tf.GradientTape(persistent=True) as tape:
            loss = self.error(y, self.model(x, training=True))
            for penalty in self.model.losses:
                loss += penalty
        gradients = [tape.gradient(loss, weights) for _, weights in self.parts]
        for (optimizer, weights), slopes in zip(self.parts, gradients):
            optimizer.apply_gradients(zip(slopes, weights))
        self.mean.update_state(loss)


def train(model, dataset, epochs, wide_optimizer, deep_optimizer):
    trainer, history = Trainer(model, wide_optimizer, deep_optimizer), []
    for _ in range(epochs):
        trainer.mean.reset_state()
        for x, y in dataset:
            trainer.graph(x, y)
        history.append(trainer.mean.result().numpy().item())
    return history
