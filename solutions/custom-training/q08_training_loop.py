# %%
import tensorflow as tf
from tensorflow import keras


# %%
def build_wide_and_deep(n_features):
    """Return a model that adds up a linear layer "wide" and a small network "deep"."""
    inputs = keras.Input((n_features,))
    wide = keras.layers.Dense(1, name="wide")
    deep = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)], name="deep")
    return keras.Model(inputs, keras.layers.add([wide(inputs), deep(inputs)]))


# %%
def train(model, dataset, epochs, wide_optimizer, deep_optimizer):
    """Train both parts, each by its own optimizer; return the mean loss of each epoch as a list of floats."""
    wide = model.get_layer("wide").trainable_variables
    deep = model.get_layer("deep").trainable_variables

    @tf.function  # one for each call of train: it holds on to the optimizers' variables
    def step(x, y):
        with tf.GradientTape() as tape:
            predictions = model(x, training=True)
            loss = tf.add_n([tf.reduce_mean(tf.square(predictions - y)), *model.losses])
        wide_gradients, deep_gradients = tape.gradient(loss, [wide, deep])
        wide_optimizer.apply_gradients(zip(wide_gradients, wide))
        deep_optimizer.apply_gradients(zip(deep_gradients, deep))
        return loss

    history = []
    for _ in range(epochs):
        losses = [step(x, y) for x, y in dataset]
        history.append(float(sum(losses) / len(losses)))
    return history
