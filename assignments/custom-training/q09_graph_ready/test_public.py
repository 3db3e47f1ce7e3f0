import numpy as np

from gradetape.checks import assert_close, assert_tensor, hint, ops_in, points, proves

PYTHON_OPS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


def ranks(x):
    """Return the normalized ranks of each row, in NumPy."""
    lower = (x[:, np.newaxis, :] < x[:, :, np.newaxis]).sum(axis=-1)
    equal = (x[:, np.newaxis, :] == x[:, :, np.newaxis]).sum(axis=-1)
    return ((lower + (equal - 1) / 2) / (x.shape[1] - 1)).astype("float32")


def rows_with_ties(rng):
    """Draw rows in which some values are equal, 0 among them."""
    return rng.choice([0.0, *rng.normal(size=5)], size=(5, int(rng.integers(7, 12)))).astype("float32")


@points(0.5)
@proves("ranks", "ties", "normalized", "rows", "float32")
@hint("Count, for each value, how many in its row are smaller and how many are equal. An argsort alone breaks ties.")
def test_ranks_with_ties(student, exported, rng):
    """NormalizedRanks ranks each row, and equal values share their mean rank."""
    x = rows_with_ties(rng)
    graph = exported.if_possible(layer=(student.NormalizedRanks(), [(x,), (x[:1],)])).layer
    for rows in (x, x[:1]):
        for layer in (student.NormalizedRanks(), graph):
            assert_tensor(layer(rows), ranks(rows), f"That is NormalizedRanks of {rows.round(2)}.")


@points(0.5)
@proves("ranks", "ties", "normalized", "rows", "float32")
@hint("tf.py_function hands your function a tensor, with .numpy(); a list that it returns counts as several results.")
def test_python_ranks_with_ties(student, rng):
    """PythonRanks computes the same."""
    x = rows_with_ties(rng)
    for rows in (x, x[:1]):
        assert_tensor(student.PythonRanks()(rows), ranks(rows), f"That is PythonRanks of {rows.round(2)}.")


@points(1)
@proves("no-python", "py-function", "own-python")
@hint("Trace NormalizedRanks in your mind: every step must be an operation that takes tensors and gives tensors.")
def test_where_the_graph_calls_python(student, exported, tf, rng):
    """The graph of NormalizedRanks holds no Python, and that of PythonRanks does."""
    x = rng.normal(size=(4, int(rng.integers(5, 12)))).astype("float32")
    spec = tf.TensorSpec((None, x.shape[1]), "float32")
    layers = {"NormalizedRanks": student.NormalizedRanks(), "PythonRanks": student.PythonRanks()}
    graphs = exported.if_possible(**{name: (layer, [spec]) for name, layer in layers.items()})
    for name, layer in layers.items():
        assert_close(layer(x), ranks(x), f"That is {name}.")
        found = sorted(PYTHON_OPS.intersection(ops_in(getattr(graphs, name), spec)))
        due = ["EagerPyFunc"] if name == "PythonRanks" else []
        expected = "calls by tf.py_function, EagerPyFunc," if due else "no call of Python"
        assert found == due, f"expected {expected} in the graph of {name}, but it has {found or 'no call of Python'}"
