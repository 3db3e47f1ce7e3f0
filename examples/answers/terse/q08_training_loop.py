import tensorflow as tf
from keras import ops
from tensorflow import keras


# %%
def build_wide_and_deep(n_features):
    """Return a model that adds up a linear layer "wide" and a small network "deep"."""
    dense = keras.layers.Dense
    inputs = keras.Input((n_features,))
    parts = dense(1, name="wide"), keras.Sequential([dense(16, activation="relu"), dense(1)], name="deep")
    return keras.Model(inputs, keras.layers.Add()([part(inputs) for part in parts]))


# %%
def train(model, dataset, epochs, wide_optimizer, deep_optimizer):
    """Train both parts, each by its own optimizer; return the mean loss of each epoch as a list of floats."""
    optimizers = {"wide": wide_optimizer, "deep": deep_optimizer}

    @tf.function(reduce_retracing=True)
    def step(x, y):
        with tf.GradientTape() as tape:
            prediction = ops.cast(model(x, training=True), "float32")
            penalties = [ops.sum(ops.cast(p, "float32")) for p in model.losses]
            loss = ops.mean(ops.square(prediction - ops.cast(y, "float32"))) + sum(penalties)
        variables = {name: model.get_layer(name).trainable_variables for name in optimizers}
        gradients = tape.gradient(loss, variables)
        for name, optimizer in optimizers.items():
            moves = [(g, v) for g, v in zip(gradients[name], variables[name]) if g is not None]
            if moves:
                optimizer.apply_gradients(moves)
        return loss

    def epoch():
        losses = [float(loss) for loss in [step(x, y) for x, y in dataset]]
        return sum(losses) / len(losses)

    return [epoch() for _ in range(epochs)]
