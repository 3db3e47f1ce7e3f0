"""The whole epoch is one tf.function that loops over the dataset, with all gradients from one list."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
def build_wide_and_deep(n_features):
    deep = keras.Sequential(name="deep")
    deep.add(keras.layers.Dense(16, "relu"))
    deep.add(keras.layers.Dense(1))
    features = keras.Input(shape=(n_features,))
    return keras.Model(features, deep(features) + keras.layers.Dense(1, name="wide")(features))


# %%
def train(model, dataset, epochs, wide_optimizer, deep_optimizer):
    wide, deep = (model.get_layer(name).trainable_variables for name in ("wide", "deep"))

    @tf.function
    def epoch():
        total, steps = 0.0, 0.0
        for x, y in dataset:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x, training=True) - y)) + sum(model.losses)
            gradients = tape.gradient(loss, wide + deep)
            wide_optimizer.apply_gradients(zip(gradients, wide))
            deep_optimizer.apply_gradients(zip(gradients[len(wide) :], deep))
            total, steps = total + loss, steps + 1.0
        return total / steps

    return [float(epoch()) for _ in range(epochs)]
