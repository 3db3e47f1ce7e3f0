import numpy as np

from gradetape.checks import assert_close, fill_weights, hint, in_worker, points, proves


@in_worker
def linear_model(n):
    """Build a model whose wide and deep layers are both linear, so that NumPy can follow its training."""
    inputs = keras.Input((n,))
    parts = [keras.layers.Dense(1, name=name)(inputs) for name in ("wide", "deep")]
    return keras.Model(inputs, keras.layers.add(parts))


@in_worker
def described(model):
    """Return whether the wide layer is a Dense and the deep one a Sequential, and the numbers of weights and losses."""
    wide, deep = model.get_layer("wide"), model.get_layer("deep")
    kinds = isinstance(wide, keras.layers.Dense), isinstance(deep, keras.Sequential)
    return *kinds, len(model.weights), len(model.losses)


@in_worker
def in_training(model):
    """Return a function that calls a model in training mode."""

    def called(x):
        return model(x, training=True)

    return called


@in_worker
def trained(model):
    """Return a function that gives the weights of the wide and of the deep layer as columns, the biases last."""
    parts = [model.get_layer(name).trainable_weights for name in ("wide", "deep")]

    def columns():
        return [tf.concat([tf.reshape(weight, (-1, 1)) for weight in part], axis=0) for part in parts]

    return columns


def draw(rng, tf, sizes):
    """Draw batches of these sizes, and a dataset that gives them: the first ones are of one size."""
    x, y = rng.normal(size=(sum(sizes), int(rng.integers(3, 7)))), rng.normal(size=(sum(sizes), 1))
    x, y, cuts = x.astype("float32"), y.astype("float32"), np.cumsum(sizes)[:-1]
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(sizes[0])
    return list(zip(np.split(x, cuts), np.split(y, cuts), strict=True)), dataset


def fill_parts(model, n, rng):
    """Fill both linear layers; return each as one column, the bias last."""
    return [np.vstack(fill_weights(model.get_layer(name), rng, (n, 1), (1,))) for name in ("wide", "deep")]


def descend(batches, wide, deep, wide_rate, deep_rate):
    """Return the loss of each step, and both parts after the last, when each goes down the gradient at its own rate."""
    losses = []
    for x, y in batches:
        x = np.hstack([x, np.ones((len(x), 1))])
        error = x @ (wide + deep) - y
        losses.append((error**2).mean())
        slope = 2 * x.T @ error / len(x)
        wide, deep = wide - wide_rate * slope, deep - deep_rate * slope
    return losses, wide, deep


@points(1)
@proves("sum-of-two", "named-layers", "wide-layer", "deep-layer", "nothing-else")
@hint("Both layers see all features. Are their names and kinds right, and is only the hidden layer not linear?")
def test_wide_and_deep(student, exported, tf, rng):
    """The model adds up a linear layer and a small network, and each call makes a new one."""
    n = int(rng.integers(3, 8))
    models, x = [student.build_wide_and_deep(n) for _ in range(2)], rng.normal(scale=3, size=(40, n)).astype("float32")
    filled = []
    for model in models:
        dense, sequential, weights, losses = described(model)
        assert dense, 'expected the layer "wide" to be a Dense layer'
        assert sequential, 'expected the layer "deep" to be a keras.Sequential'
        parts = (("wide", (n, 1), (1,)), ("deep", (n, 16), (16,), (16, 1), (1,)))
        filled.append([fill_weights(model.get_layer(name), rng, *shapes) for name, *shapes in parts])
        assert weights == 6, f"expected six weights, in these two layers only, but the model has {weights}"
        assert losses == 0, "expected no losses beside the error, but model.losses is not empty"
    rows = [tf.TensorSpec([None, n], "float32")]
    functions = {f"model_{i}": (model, rows) for i, model in enumerate(models)}
    functions |= {f"training_{i}": (in_training(model), rows) for i, model in enumerate(models)}
    graphs = exported.if_possible(**functions)
    for i, ((kernel, bias), (hidden, hidden_bias, last, last_bias)) in enumerate(filled):
        model, training = getattr(graphs, f"model_{i}"), getattr(graphs, f"training_{i}")
        expected = x @ kernel + bias + np.maximum(x @ hidden + hidden_bias, 0) @ last + last_bias
        for batch in (x, x[:1]):
            advice = f"That is one of two models of build_wide_and_deep({n}), for inputs of shape {batch.shape}."
            assert_close(model(batch), expected[: len(batch)], advice, rtol=1e-4, atol=1e-3)  # float32 sums
        assert_close(training(x), expected, "That is with training=True.", rtol=1e-4, atol=1e-3)


@points(1)
@proves("optimizers", "loss", "steps", "any-model")
@hint("Take the gradients for both lists of variables from one tape. Which optimizer gets which list?")
def test_each_optimizer_moves_its_part(student, exported, keras, tf, rng):
    """Each optimizer moves its own part, in the right direction and as far as it should, and the other part rests."""
    batches, dataset = draw(rng, tf, [8, 8, 8])
    n, rate = batches[0][0].shape[1], float(rng.uniform(0.02, 0.1))
    for rates in ((rate, 0.0), (0.0, rate)):
        model = linear_model(n)
        _, *expected = descend(batches, *fill_parts(model, n, rng), *rates)
        given = student.train(model, dataset, 1, *(keras.optimizers.SGD(each) for each in rates))
        assert type(given) is list and len(given) == 1, f"expected a list of one loss, but train returned {given!r}"
        assert given[0] > 0, f"expected the loss of one epoch, but train returned {given!r}"
        found = exported(trained=(trained(model), [()])).trained()
        for name, given, part in zip(("wide", "deep"), found, expected, strict=True):
            assert_close(given, part, f"That is {name}, after learning rates {rates} for wide and deep.", rtol=1e-4)


@points(1)
@proves("history", "mean-of-steps", "before-the-update", "steps", "loss", "any-dataset")
@hint("Each entry is a Python float: the mean of one epoch's losses alone, each before its update, a short batch too.")
def test_loss_of_each_epoch(student, keras, tf, rng):
    """`train` returns the mean loss of the steps of each epoch."""
    batches, dataset = draw(rng, tf, [8, 8, 3])
    n, rates = batches[0][0].shape[1], rng.uniform(0.02, 0.1, size=2).tolist()
    model = linear_model(n)
    losses, *_ = descend(batches * 3, *fill_parts(model, n, rng), *rates)
    given = student.train(model, dataset, 3, *(keras.optimizers.SGD(rate) for rate in rates))
    assert type(given) is list, f"expected a list, but train returned {given!r}"
    assert all(isinstance(loss, float) for loss in given), f"expected Python floats, but the list is {given!r}"
    assert_close(given, np.reshape(losses, (3, 3)).mean(axis=1), "That is three epochs of three batches.", rtol=1e-4)
