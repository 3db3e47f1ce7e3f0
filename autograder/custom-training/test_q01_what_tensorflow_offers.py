"""Hidden checks: pipelines, derivatives, graphs and operations, each where it is put to use."""

import numpy as np

from gradetape.checks import assert_close, assert_tensor, hint, in_worker, points


@in_worker
def orders(dataset, epochs, limit):
    """Return the labels of some epochs of at most `limit` batches, in the order in which they come."""
    return [np.concatenate([y.numpy() for _, y in dataset.take(limit)]) for _ in range(epochs)]


@points(1)
@hint("Give `shuffle` the seed, and a buffer that holds all examples. Does it shuffle again for each epoch?")
def test_the_seed_decides_the_order(student, rng):
    """The same seed gives the same orders, a new one each epoch; another seed gives others."""
    count, seed = int(rng.integers(400, 600)), int(rng.integers(1, 1000))
    features, labels = rng.normal(size=(count, 1)).astype("float32"), np.arange(count)
    batches = -(-count // 32)
    first, again, other = (
        orders(student.make_batches(features, labels, 32, each), 2, batches) for each in (seed, seed, seed + 1)
    )
    assert all(sorted(order.tolist()) == labels.tolist() for order in (*first, *again, *other))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], first[1])
    assert np.ptp(first[0][:32]) > count // 2, "the first batch comes from one part of the examples"


@in_worker
def loss_of_an_epoch(dataset, kernel, limit):
    """Return the loss that `fit` reports for a linear model that does not move; it takes at most `limit` batches."""
    model = keras.Sequential([keras.Input((len(kernel),)), keras.layers.Dense(1, use_bias=False)])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    model.set_weights([kernel])
    return model.fit(dataset.take(limit), verbose=0).history["loss"][0]


@points(1)
@hint("`fit` wants pairs of features and labels, and an epoch that ends. Is any example missing?")
def test_fit_takes_the_dataset(student, rng):
    """`fit` takes the dataset as it is, and an epoch of it is the whole data."""
    size, full = rng.integers(4, 8, size=2).tolist()
    features = rng.normal(size=(size * full + 2, 3)).astype("float32")
    labels, kernel = rng.normal(size=(len(features), 1)).astype("float32"), rng.normal(size=(3, 1)).astype("float32")
    dataset = student.make_batches(features, labels, size, int(rng.integers(1000)))
    expected = ((features @ kernel - labels) ** 2).mean()
    assert_close(loss_of_an_epoch(dataset, kernel, full + 2), expected, rtol=1e-4)  # float32 sums, batch by batch


@in_worker
def second_derivative(derivative, a, b, x):
    """Return the second derivatives of sin(a x) + b x**3 and of a x + b."""
    bent, straight = (lambda z: tf.sin(a * z) + b * z**3), (lambda z: a * z + b)
    return [derivative(lambda z, fn=fn: derivative(fn, z), x) for fn in (bent, straight)]


@points(1)
@hint("For a second derivative the first one must stay a computation on tensors. See `unconnected_gradients` too.")
def test_second_derivative(student, rng):
    """Applied twice, `derivative` gives the second derivative, which is 0 for a straight line."""
    (a, b), x = rng.uniform(0.5, 2.0, size=2).tolist(), rng.uniform(-2, 2, size=7).astype("float32")
    bent, straight = second_derivative(student.derivative, a, b, x)
    assert_tensor(bent, (-(a**2) * np.sin(a * x) + 6 * b * x).astype("float32"), atol=1e-5)  # terms that may cancel
    assert_tensor(straight, np.zeros_like(x))


@in_worker
def answer(folder, x):
    """Return what an exported module answers."""
    return tf.saved_model.load(str(folder))(tf.constant(x)).numpy()


@points(1)
@hint("A SavedModel takes along the traces of tf.functions. Which trace is there before anything was computed?")
def test_exported_affine_answers_elsewhere(student, clean, rng, worker_tmp_path):
    """Exported, Affine answers in a process without its code, with its newest values, for every batch size."""
    kernels, bias = rng.normal(size=(2, 4, 2)).astype("float32"), rng.normal(size=2).astype("float32")
    batches = [rng.normal(size=(size, 4)).astype("float32") for size in rng.choice(np.arange(1, 20), 3, replace=False)]
    affine = student.Affine(kernels[0], bias)
    assert_close(affine(batches[0]), batches[0] @ kernels[0] + bias)
    affine.kernel.assign(kernels[1])
    affine.export(worker_tmp_path / "affine")
    folder = clean.copy(worker_tmp_path / "affine")
    for x in batches:
        assert_close(clean.run(answer, folder, x), x @ kernels[1] + bias)


@in_worker
def through_a_symbolic_tensor(standardize, x):
    """Call `standardize` on a symbolic tensor of Keras 3; return what the model of that computation makes of x."""
    import importlib

    keras_3 = importlib.import_module("keras")
    symbolic = keras_3.Input(batch_shape=x.shape)
    return keras_3.Model(symbolic, standardize(symbolic))(x)


@points(1)
@hint("A symbolic tensor has no numbers, and only keras.ops knows what to do with it. TensorFlow and NumPy do not.")
def test_standardize_is_independent_of_the_backend(student, rng):
    """`standardize` runs on a symbolic tensor, which only Keras's own operations take."""
    x = rng.normal(2.0, 3.0, size=(8, 3)).astype("float32")
    expected = (x - x.mean(axis=0)) / x.std(axis=0)
    for given in (student.standardize(x), through_a_symbolic_tensor(student.standardize, x)):
        assert_close(given, expected, rtol=1e-4, atol=1e-5)  # float32 sums
