import tensorflow as tf
from tensorflow import keras


# %%
def build_wide_and_deep(n_features):
    """Return a model that adds up a linear layer "wide" and a small network "deep"."""
    inputs = keras.Input(shape=(n_features,))
    wide = keras.layers.Dense(1, name="wide")
    deep = keras.Sequential(
        [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)],
        name="deep",
    )
    outputs = keras.layers.Add()([wide(inputs), deep(inputs)])
    return keras.Model(inputs, outputs)


# %%
def train(model, dataset, epochs, wide_optimizer, deep_optimizer):
    """Train both parts, each by its own optimizer; return the mean loss of each epoch as a list of floats."""

    def apply_where_known(optimizer, gradients, variables):
        """Move the variables that the loss depends on; a part may also have none at all."""
        pairs = [(g, v) for g, v in zip(gradients, variables) if g is not None]
        if pairs:
            optimizer.apply_gradients(pairs)

    # The step is made anew for each call of train, because a tf.function that has made the variables
    # of one pair of optimizers cannot make those of another.
    @tf.function(reduce_retracing=True)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            predictions = model(x, training=True)
            loss = tf.reduce_mean(tf.square(tf.cast(y, predictions.dtype) - predictions))
            for penalty in model.losses:
                loss += tf.cast(penalty, loss.dtype)
        wide_variables = model.get_layer("wide").trainable_variables
        deep_variables = model.get_layer("deep").trainable_variables
        # Both gradients belong to the same loss, so take them before either optimizer moves anything.
        wide_gradients, deep_gradients = tape.gradient(loss, [wide_variables, deep_variables])
        apply_where_known(wide_optimizer, wide_gradients, wide_variables)
        apply_where_known(deep_optimizer, deep_gradients, deep_variables)
        return loss

    history = []
    for _ in range(epochs):
        step_losses = [train_step(x, y) for x, y in dataset]
        total = sum(float(loss) for loss in step_losses)
        history.append(total / len(step_losses) if step_losses else 0.0)
    return history
