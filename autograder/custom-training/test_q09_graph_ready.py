"""Hidden checks: a layer inside graphs, in training, and far from the code that made it."""

import numpy as np

from gradetape.checks import assert_close, hint, in_worker, points


def ranks(x):
    """Return the normalized ranks of each row, in NumPy."""
    lower = (x[:, np.newaxis, :] < x[:, :, np.newaxis]).sum(axis=-1)
    equal = (x[:, np.newaxis, :] == x[:, :, np.newaxis]).sum(axis=-1)
    return (lower + (equal - 1) / 2) / max(x.shape[1] - 1, 1)


def rows(rng, count):
    """Draw rows of a random width in which all values differ."""
    return rng.normal(size=(count, int(rng.integers(4, 30)))).astype("float32")


@points(1)
@hint("What do you divide by when a row has one value? Which ranks does a row share whose values are all equal?")
def test_unusual_rows(student, rng):
    """A row of one value gives 0, and equal values share one rank even if they fill the row."""
    x = rows(rng, 3)
    x[1] = rng.normal()
    for layer in (student.NormalizedRanks(), student.PythonRanks()):
        assert_close(layer(x), ranks(x))
        assert_close(layer(x[:, :1]), np.zeros((3, 1)))


@in_worker
def through_one_graph(layer, width, batches):
    """Return what one traced function, whose batch size is unknown, gives for each batch."""
    graph = tf.function(layer).get_concrete_function(tf.TensorSpec((None, width), "float32"))
    return [graph(tf.constant(x)).numpy() for x in batches]


@points(1)
@hint("While a layer is traced, its batch size is None and its values are not there yet. tf.shape tells it later.")
def test_one_graph_for_all_batch_sizes(student, rng):
    """Traced once, both layers are right for batches of every size."""
    x = rows(rng, 9)
    batches = [x[:1], x[1:4], x[4:]]
    for layer in (student.NormalizedRanks(), student.PythonRanks()):
        for given, batch in zip(through_one_graph(layer, x.shape[1], batches), batches, strict=True):
            assert_close(given, ranks(batch))


@in_worker
def first_loss(layer, kernel, x, y):
    """Return the loss of the first step of fit, of a model that weighs the ranks with `kernel`."""
    model = keras.Sequential([keras.Input(x.shape[1:]), layer, keras.layers.Dense(1, use_bias=False)])
    model.compile(loss="mse", optimizer="sgd", jit_compile=False)
    model.layers[-1].set_weights([kernel])
    return model.fit(x, y, batch_size=len(x), verbose=0).history["loss"][0]


@points(1)
@hint("`fit` runs your layer inside a graph, and a Dense layer follows. Does that one know its shape?")
def test_inside_fit(student, rng):
    """Inside `fit` both layers give the values that they give outside."""
    x = rows(rng, 8)
    kernel, y = rng.normal(size=(x.shape[1], 1)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    expected = ((ranks(x) @ kernel - y) ** 2).mean()
    for layer in (student.NormalizedRanks(), student.PythonRanks()):
        assert_close(first_loss(layer, kernel, x, y), expected, rtol=1e-4)  # float32 sums over rows and columns


@in_worker
def static_shape(layer, width):
    """Return the shape that is known of a layer's result when it is traced for an unknown batch size."""
    graph = tf.function(layer).get_concrete_function(tf.TensorSpec((None, width), "float32"))
    return graph.output_shapes


@points(1)
@hint("tf.ensure_shape, or set_shape, tells a tensor what a py_function cannot know.")
def test_static_shape(student, rng):
    """In a graph, the shape of either result is known as well as that of the input."""
    x = rows(rng, 3)
    for layer in (student.NormalizedRanks(), student.PythonRanks()):
        assert_close(layer(x), ranks(x))
        assert static_shape(layer, x.shape[1]) == (None, x.shape[1])


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
@hint("What an exported model cannot take along is Python. Is there any left that runs with each batch?")
def test_exported_model_answers_elsewhere(student, clean, rng, worker_tmp_path):
    """Exported, NormalizedRanks answers in a process that does not know the class."""
    x, layer = rows(rng, 5), student.NormalizedRanks()
    assert_close(layer(x), ranks(x))
    export(layer, x.shape[1], worker_tmp_path / "ranks")
    folder = clean.copy(worker_tmp_path / "ranks")
    for batch in (x, x[:2]):
        assert_close(clean.run(serve, folder, batch), ranks(batch))


@points(1)
@hint("PythonRanks must really go through tf.py_function: its graph then works at home and nowhere else.")
def test_python_does_not_travel(student, clean, rng, worker_tmp_path):
    """Exported, PythonRanks answers where its Python is, and fails elsewhere."""
    x = rows(rng, 5)
    export(student.PythonRanks(), x.shape[1], worker_tmp_path / "ranks")
    assert_close(serve(worker_tmp_path / "ranks", x), ranks(x))
    answer = clean.run(serve, clean.copy(worker_tmp_path / "ranks"), x)
    assert isinstance(answer, str) and "pyfunc" in answer, "the exported model needs no Python"
