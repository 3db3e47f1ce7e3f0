"""One tf.function serves all models and optimizers there ever are, and it can make variables only once."""
# breaks: again
# fails: hidden::test_models_in_turn, hidden::test_any_model_and_dataset, hidden::test_learns
# fails (legacy): public::test_each_optimizer_moves_its_part, public::test_loss_of_each_epoch, hidden::test_losses_of_the_layers, hidden::test_models_in_turn, hidden::test_any_model_and_dataset, hidden::test_training_mode, hidden::test_runs_with_one_seed, hidden::test_learns
# may fail: hidden::test_python_of_a_step

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
@tf.function
def step(model, x, y, wide_optimizer, deep_optimizer):
    wide = model.get_layer("wide").trainable_variables
    deep = model.get_layer("deep").trainable_variables
    with tf.GradientTape() as tape:
        predictions = model(x, training=True)
        loss = tf.add_n([tf.reduce_mean(tf.square(predictions - y)), *model.losses])
    wide_gradients, deep_gradients = tape.gradient(loss, [wide, deep])
    wide_optimizer.apply_gradients(zip(wide_gradients, wide))
    deep_optimizer.apply_gradients(zip(deep_gradients, deep))
    return loss


def train(model, dataset, epochs, wide_optimizer, deep_optimizer):
    """Train both parts, each by its own optimizer; return the mean loss of each epoch as a list of floats."""
    history = []
    for _ in range(epochs):
        losses = [step(model, x, y, wide_optimizer, deep_optimizer) for x, y in dataset]
        history.append(float(tf.reduce_mean(losses)))
    return history
