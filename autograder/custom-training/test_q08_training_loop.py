"""Hidden checks: what a training loop must get right besides the gradient."""

import numpy as np

from gradetape.checks import assert_close, fill_weights, hint, in_worker, points


@in_worker
def linear_model(n, penalty):
    """Build a model of two linear layers, the deep one with a penalty and a count of how often its Python runs."""

    class Counted(keras.layers.Dense):
        runs = 0

        def call(self, inputs):
            self.runs += 1
            return super().call(inputs)

    inputs, regularizer = keras.Input((n,)), keras.regularizers.L2(penalty)
    deep, wide = Counted(1, name="deep", kernel_regularizer=regularizer), keras.layers.Dense(1, name="wide")
    model = keras.Model(inputs, keras.layers.add([deep(inputs), wide(inputs)]))
    deep.runs = 0
    return model


def descend(batches, wide, deep, rates, penalty, momentum):
    """Return the loss of each step of gradient descent, in NumPy; the last row of either part is its bias."""
    losses, wide_speed, deep_speed = [], 0, 0
    for x, y in batches:
        x, kernel = np.hstack([x, np.ones((len(x), 1))]), np.vstack([deep[:-1], [[0]]])
        error = x @ (wide + deep) - y
        losses.append((error**2).mean() + penalty * (kernel**2).sum())
        slope = 2 * x.T @ error / len(x)
        wide_speed = momentum * wide_speed - rates[0] * slope
        deep_speed = momentum * deep_speed - rates[1] * (slope + 2 * penalty * kernel)
        wide, deep = wide + wide_speed, deep + deep_speed
    return losses


def draw(rng, count):
    """Draw features of a random number and one target for each example."""
    x, y = rng.normal(size=(count, int(rng.integers(3, 7)))), rng.normal(size=(count, 1))
    return x.astype("float32"), y.astype("float32")


def assert_follows(student, keras, tf, rng, sizes, epochs, penalty=0.0, momentum=0.0):
    """Show that `train` gives the losses that NumPy gives, over batches of these sizes; return the trained model."""
    x, y = draw(rng, sum(sizes))
    n, rates, cuts = x.shape[1], rng.uniform(0.02, 0.1, size=2).tolist(), np.cumsum(sizes)[:-1]
    model, batches = linear_model(n, penalty), list(zip(np.split(x, cuts), np.split(y, cuts), strict=True))
    parts = [np.vstack(fill_weights(model.get_layer(name), rng, (n, 1), (1,))) for name in ("wide", "deep")]
    losses = descend(batches * epochs, *parts, rates, penalty, momentum)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(sizes[0])
    optimizers = (keras.optimizers.SGD(rate, momentum=momentum) for rate in rates)
    given = student.train(model, dataset, epochs, *optimizers)
    assert_close(given, np.reshape(losses, (epochs, -1)).mean(axis=1), rtol=1e-4)  # float32, step upon step
    return model


@points(1)
@hint("After a call a regularizer's penalty waits in model.losses. Is it part of the loss, under the tape?")
def test_losses_of_the_layers(student, keras, tf, rng):
    """The penalties of the model's layers belong to the loss, and to its gradient."""
    assert_follows(student, keras, tf, rng, [6, 6], 2, penalty=float(rng.uniform(0.05, 0.2)))


@points(1)
@hint("Where is your step made into a tf.function? Made anew in each epoch, it is traced anew in each epoch.")
def test_python_of_a_step(student, keras, tf, rng):
    """The Python of a step runs at most three times, and yet every step is taken."""
    model = assert_follows(student, keras, tf, rng, [4, 4, 4, 3], 5, momentum=0.5)
    runs = model.get_layer("deep").runs
    assert runs <= 3, f"the model's Python ran {runs} times in 20 steps"


@points(1)
@hint("A tf.function that has made one optimizer's variables cannot make another's. Where do you define it?")
def test_models_in_turn(student, keras, tf, rng):
    """One model after another can be trained, each with optimizers of its own."""
    for epochs in (1, 2):
        assert_follows(student, keras, tf, rng, [5, 5], epochs, momentum=float(rng.uniform(0.5, 0.9)))


@in_worker
def normalizing_model(n, momentum):
    """Build a model whose deep layer normalizes its inputs and whose wide layer does nothing."""
    norm = keras.layers.BatchNormalization(momentum=momentum, epsilon=0.01, name="norm")
    inputs, deep = keras.Input((n,)), keras.Sequential([norm, keras.layers.Dense(1)], name="deep")
    wide = keras.layers.Dense(1, kernel_initializer="zeros", name="wide")
    return keras.Model(inputs, keras.layers.add([wide(inputs), deep(inputs)]))


@points(1)
@hint("What do you tell the model when you call it, so that it knows that this is training?")
def test_training_mode(student, keras, tf, rng):
    """Batch normalization uses the batch that it sees, and remembers it."""
    (x, y), momentum = draw(rng, 12), float(rng.uniform(0.5, 0.9))
    model = normalizing_model(x.shape[1], momentum)
    *_, kernel, _ = (np.asarray(weight) for weight in model.get_layer("deep").trainable_weights)
    dataset = tf.data.Dataset.from_tensors((x, y))
    given = student.train(model, dataset, 2, keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    normalized = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.01)
    assert_close(given, [((normalized @ kernel - y) ** 2).mean()] * 2, rtol=1e-4)
    remembered = np.asarray(model.get_layer("deep").get_layer("norm").moving_mean)
    assert_close(remembered, (1 - momentum**2) * x.mean(axis=0), rtol=1e-4)


@in_worker
def seeded_run(train, seed, x, y, kernel):
    """Return the losses of two epochs of a model with dropout, everything made anew after the seed."""
    keras.utils.set_random_seed(seed)
    inputs, last = keras.Input(x.shape[1:]), keras.layers.Dense(1)
    deep = keras.Sequential([keras.layers.Dropout(0.5), last], name="deep")
    wide = keras.layers.Dense(1, kernel_initializer="zeros", name="wide")
    model = keras.Model(inputs, keras.layers.add([wide(inputs), deep(inputs)]))
    last.kernel.assign(kernel)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(300)
    return train(model, dataset, 2, keras.optimizers.SGD(1e-4), keras.optimizers.SGD(1e-4))


@points(1)
@hint("Which random numbers does your loop draw? The order of the batches is the dataset's business.")
def test_runs_with_one_seed(student, rng):
    """With dropout, two runs with one seed agree to the last digit, and another seed makes a difference."""
    x, y = draw(rng, 1200)
    kernel = rng.normal(size=(x.shape[1], 1)) * rng.uniform(2, 20)
    seed, other = rng.choice(10**6, size=2, replace=False).tolist()
    runs = [[float(loss) for loss in seeded_run(student.train, each, x, y, kernel)] for each in (seed, seed, other)]
    assert runs[0] == runs[1], "two runs with the same seed differ"
    assert runs[0] != runs[2], "two runs with different seeds agree"
    expected = ((x @ kernel - y) ** 2).mean() + (x**2 @ kernel**2).mean()  # half of the inputs are doubled, half are 0
    assert_close(runs[0][0], expected, rtol=0.2)


@points(1)
@hint("Does the deep part learn what is not linear? Its optimizer and its gradients must belong together.")
def test_learns(student, keras, tf, rng):
    """The whole model learns what no linear model can."""
    x = rng.normal(size=(100, 3)).astype("float32")
    y = (np.abs(x).sum(axis=1, keepdims=True) + x[:, :1] + rng.normal()).astype("float32")
    model, dataset = student.build_wide_and_deep(3), tf.data.Dataset.from_tensors((x, y)).repeat(12)
    losses = student.train(model, dataset, 5, keras.optimizers.Ftrl(0.3), keras.optimizers.Adam(0.05))
    after = ((np.asarray(model(x)) - y) ** 2).mean()
    columns = np.hstack([x, np.ones((100, 1))])
    linear = ((columns @ np.linalg.lstsq(columns, y, rcond=None)[0] - y) ** 2).mean()
    assert 2 * after < linear, f"the loss is {after:.3f} after training, where a linear model reaches {linear:.3f}"
    assert 0 < losses[-1] < losses[0], f"expected a loss that falls, but train returned {losses!r}"
