"""A Mean metric that is reset, a loss of Keras, the dataset's own signature, and the sum made by a subclass."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
class WideAndDeep(keras.Model):
    def __init__(self):
        super().__init__()
        self.wide = keras.layers.Dense(1, name="wide")
        self.deep = keras.Sequential([keras.layers.Dense(16), keras.layers.ReLU(), keras.layers.Dense(1)], name="deep")

    def call(self, inputs):
        return self.wide(inputs) + self.deep(inputs)


def build_wide_and_deep(n_features):
    model = WideAndDeep()
    model(keras.Input((n_features,)))
    return model


# %%
def train(model, dataset, epochs, wide_optimizer, deep_optimizer):
    optimizers = {"wide": wide_optimizer, "deep": deep_optimizer}
    error, mean = keras.losses.MeanSquaredError(), keras.metrics.Mean()

    @tf.function(input_signature=dataset.element_spec)
    def step(x, y):
        with tf.GradientTape(persistent=True) as tape:
            loss = error(y, model(x, training=True))
            for penalty in model.losses:
                loss += penalty
        for name, optimizer in optimizers.items():
            weights = model.get_layer(name).trainable_weights
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        mean.update_state(loss)

    history = []
    for _ in range(epochs):
        mean.reset_state()
        for x, y in dataset:
            step(x, y)
        history.append(float(mean.result()))
    return history
