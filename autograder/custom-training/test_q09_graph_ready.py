"""Hidden checks: a layer inside graphs, in training, and far from the code that made it."""

import numpy as np

from gradetape.checks import assert_close, assert_each, assert_tensor, hint, in_worker, points, proves


def ranks(x):
    """Return the normalized ranks of each row, in NumPy."""
    lower = (x[:, np.newaxis, :] < x[:, :, np.newaxis]).sum(axis=-1)
    equal = (x[:, np.newaxis, :] == x[:, :, np.newaxis]).sum(axis=-1)
    return ((lower + (equal - 1) / 2) / max(x.shape[1] - 1, 1)).astype("float32")


def rows(rng, count):
    """Draw rows of a random width in which all values differ."""
    return rng.normal(size=(count, int(rng.integers(4, 30)))).astype("float32")


def rows_with_ties(rng, count):
    """Draw rows of a random width in which the first two values are equal."""
    x = rows(rng, count)
    x[:, 1] = x[:, 0]
    return x


def unusual(rng):
    """Draw rows at the corners of what the prompt allows, by a description."""
    x = rows_with_ties(rng, 3)
    n = x.shape[1]
    neighbours = np.nextafter(np.float32(1), np.float32(2)) - np.float32(1)
    cases = {
        "some rows": x,
        "other rows of the same shape": rng.normal(size=(3, n)),
        "all values equal": np.full((2, n), rng.normal()),
        "rows of one value": x[:, :1],
        "one row": x[:1],
        "one row of one value": x[:1, :1],
        "rows of two values": np.array([[1, 2], [2, 1], [3, 3], [0, -1]]),
        "300 values in a row": rng.integers(0, 200, size=(2, 300)),
        "300 different values in a row": np.stack([rng.permutation(300) for _ in range(2)]),
        "neighbouring numbers": 1 + neighbours * rng.integers(0, 6, size=(3, n)),
        "small numbers": x * 1e-25,
        "large numbers": x * 1e37,
        "the largest and the smallest number": np.finfo("float32").max * rng.permutation([-1, 0, 1e-38, 0.5, 1])[None],
        "zeros of both signs": rng.choice([0.0, -0.0, 1.0], size=(3, n)),
        "ordered rows": np.sort(x, axis=1),
        "rows in descending order": -np.sort(x, axis=1),
    }
    return {case: (values.astype("float32"),) for case, values in cases.items()}


@points(1)
@proves("ties", "one-value", "any-width", "float32", "ranks", "rows")
@hint("When are two values equal, and what do you divide by when a row has one value? Does a layer remember a width?")
def test_unusual_rows(student, exported, rng):
    """Rows of any width are ranked, of one value too, and only values that do not differ at all share a rank."""
    cases = unusual(rng)
    long, layer = rng.permutation(3000)[np.newaxis].astype("float32"), student.NormalizedRanks()
    graph = exported.if_possible(layer=(layer, [*cases.values(), (long,)])).layer
    for name, each in (("PythonRanks", student.PythonRanks()), ("NormalizedRanks", graph)):
        assert_each(each, cases, ranks, f"That is {name}.", rtol=1e-5, atol=1e-6)
    assert_each(layer, dict(list(cases.items())[::3]), ranks, "That is NormalizedRanks.", rtol=1e-5, atol=1e-6)
    assert_tensor(graph(long), ranks(long), "That is a row of 3000 values.", rtol=1e-5, atol=1e-6)


@in_worker
def through_one_graph(layer, width, batches):
    """Return what one traced function, whose batch size is unknown, gives for each batch."""
    graph = tf.function(layer).get_concrete_function(tf.TensorSpec((None, width), "float32"))
    return [graph(tf.constant(x)) for x in batches]


@points(1)
@proves("everywhere", "python-everywhere", "float32")
@hint("While a layer is traced, its batch size is None and its values are not there yet. tf.shape tells it later.")
def test_one_graph_for_all_batch_sizes(student, exported, tf, rng):
    """Traced once, both layers are right for batches of every size."""
    x, layer = rows_with_ties(rng, 12), student.NormalizedRanks()
    widths = [(tf.TensorSpec((None, width), "float32"),) for width in (x.shape[1], 1)]
    graph = exported.if_possible(layer=(layer, widths)).layer
    for part in (x, x[:, :1]):
        batches = [part[:1], part[1:4], part[4:7], part[7:]]
        for each in (graph, layer, student.PythonRanks()):
            for given, batch in zip(through_one_graph(each, part.shape[1], batches), batches, strict=True):
                assert_tensor(given, ranks(batch), f"That is a batch of shape {batch.shape}.")


@in_worker
def in_a_model(layer, kernel, x, y):
    """Return what a model that weighs the ranks with `kernel` predicts, and the loss of its first step of fit."""
    layer = layer if isinstance(layer, keras.layers.Layer) else keras.layers.Lambda(layer, x.shape[1:])
    model = keras.Sequential([keras.Input(x.shape[1:]), layer, keras.layers.Dense(1, use_bias=False)])
    model.compile(loss="mse", optimizer="sgd", jit_compile=False)
    model.layers[-1].set_weights([kernel])
    predicted = model.predict(x, batch_size=3, verbose=0)
    return predicted, model.fit(x, y, batch_size=len(x), verbose=0).history["loss"][0]


@points(1)
@proves("everywhere", "python-everywhere", "told-shape")
@hint("`fit` runs your layer inside a graph, and a Dense layer follows. Does that one know its shape?")
def test_inside_fit(student, exported, tf, rng):
    """Inside `fit` and `predict` both layers give the values that they give outside."""
    x = rows_with_ties(rng, 8)
    kernel, y = rng.normal(size=(x.shape[1], 1)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    layers = [student.NormalizedRanks(), student.PythonRanks()]
    graph = exported.if_possible(layer=(layers[0], [tf.TensorSpec((None, x.shape[1]), "float32")])).layer
    for layer in (*layers, graph):
        predicted, loss = in_a_model(layer, kernel, x, y)
        assert_close(predicted, ranks(x) @ kernel, rtol=1e-4, atol=1e-5)  # float32 sums over the columns
        assert_close(loss, ((ranks(x) @ kernel - y) ** 2).mean(), rtol=1e-4)  # and over the rows


@in_worker
def static_shape(layer, width):
    """Return the shape that is known of a layer's result when it is traced for an unknown batch size."""
    graph = tf.function(layer).get_concrete_function(tf.TensorSpec((None, width), "float32"))
    return graph.output_shapes


@points(1)
@proves("static-shape", "told-shape")
@hint("tf.ensure_shape, or set_shape, tells a tensor what a py_function cannot know.")
def test_static_shape(student, exported, tf, rng):
    """In a graph, the shape of either result is known as well as that of the input."""
    x = rows(rng, 3)
    layer = student.NormalizedRanks()
    graph = exported.if_possible(layer=(layer, [tf.TensorSpec((None, x.shape[1]), "float32")])).layer
    for each in (graph, layer, student.PythonRanks()):
        assert_close(each(x), ranks(x))
        shape, due = static_shape(each, x.shape[1]), (None, x.shape[1])
        assert shape == due, f"expected the static shape {due}, but it is {shape}"


@in_worker
def export(layer, width, folder):
    """Export a model that is nothing but the layer."""
    keras.Sequential([keras.Input((width,)), layer]).export(str(folder))


@in_worker
def serve(folder, x):
    """Return what an exported model answers, or the text of the error if TensorFlow raises one."""
    model = tf.saved_model.load(str(folder))
    try:
        return model.serve(tf.constant(x)).numpy()
    except tf.errors.OpError as error:
        return str(error)


@points(1)
@proves("exported", "no-python")
@hint("What an exported model cannot take along is Python. Is there any left that runs with each batch?")
def test_exported_model_answers_elsewhere(student, clean, rng, worker_tmp_path):
    """Exported, NormalizedRanks answers in a process that does not know the class."""
    x, layer = rows(rng, 5), student.NormalizedRanks()
    assert_close(layer(x), ranks(x))
    export(layer, x.shape[1], worker_tmp_path / "ranks")
    folder = clean.copy(worker_tmp_path / "ranks")
    for batch in (x, x[:1]):
        assert_close(clean.run(serve, folder, batch), ranks(batch))


@points(1)
@proves("stays-home", "py-function", "python-everywhere")
@hint("PythonRanks must really go through tf.py_function: its graph then works at home and nowhere else.")
def test_python_does_not_travel(student, clean, rng, worker_tmp_path):
    """Exported, PythonRanks answers where its Python is, and fails elsewhere."""
    x = rows(rng, 5)
    export(student.PythonRanks(), x.shape[1], worker_tmp_path / "ranks")
    assert_close(serve(worker_tmp_path / "ranks", x), ranks(x))
    answer = clean.run(serve, clean.copy(worker_tmp_path / "ranks"), x)
    assert isinstance(answer, str) and "pyfunc" in answer, "the exported model needs no Python"


@in_worker
def without_the_other(layer, other, x):
    """Return what the layer gives while every call of the other class raises."""

    def call(self, *args, **kwargs):
        raise NotImplementedError("PythonRanks calls NormalizedRanks")

    original = other.call
    other.call = call
    try:
        return layer(x)
    finally:
        other.call = original


@points(1)
@proves("own-python", "no-xla")
@hint("Does PythonRanks compute in Python by itself? And does each object of it tell Keras that XLA cannot compile it?")
def test_python_of_its_own(student, rng):
    """PythonRanks does its own work, and tells Keras that XLA cannot compile it."""
    x, layer = rows(rng, 3), student.PythonRanks()
    assert_tensor(without_the_other(layer, student.NormalizedRanks, x), ranks(x))
    assert getattr(layer, "supports_jit", True) is False, "PythonRanks().supports_jit is not False"
