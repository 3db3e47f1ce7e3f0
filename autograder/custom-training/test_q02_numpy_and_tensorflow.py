"""Hidden checks: where TensorFlow differs from NumPy without a word."""

import numpy as np

from gradetape.checks import InvalidArgumentError, assert_close, assert_tensor, hint, in_worker, ops_in, points, raises

PYTHON_OPS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


def summary(x):
    """Return NumPy's sum, mean and deviation of each column."""
    return {"sum": x.sum(axis=0), "mean": x.mean(axis=0), "std": x.std(axis=0)}


def replaced(x, indices, rows):
    """Return a copy of x with other rows."""
    x = x.copy()
    x[indices] = rows
    return x


@points(1)
@hint("2,147,483,647 is the largest int32. In which dtype is your sum added up?")
def test_large_integers(student, rng):
    """The summary of large int32 numbers is right, though their sum is no int32."""
    x = rng.integers(1_000_000_000, 2_000_000_000, size=(9, 4)).astype("int32")
    given = student.column_summary(x)
    for name, expected in summary(x).items():
        assert_tensor(given[name], expected)


@points(1)
@hint("While it is traced, a tensor has no numbers, and perhaps no sizes. tf.shape gives a size when it is known.")
def test_unknown_sizes(student, tf, rng):
    """The functions are TensorFlow's from end to end, and work in a graph that knows no sizes."""
    x = rng.integers(-99, 99, size=(5, 3)).astype("int64")
    indices, rows = rng.permutation(5)[:2], rng.integers(-99, 99, size=(2, 3)).astype("int64")
    any_matrix, any_vector = tf.TensorSpec((None, None), "int64"), tf.TensorSpec((None,), "int64")
    for name, expected in summary(x).items():
        of_columns = tf.function(student.column_summary, input_signature=[any_matrix])
        assert_tensor(of_columns(x)[name], expected)
    replace = tf.function(student.replace_rows, input_signature=[any_matrix, any_vector, any_matrix])
    assert_tensor(replace(x, indices, rows), replaced(x, indices, rows))
    swap = tf.function(student.swap_axes, input_signature=[any_matrix])
    assert_tensor(swap(x), x.T)
    assert not PYTHON_OPS.intersection(ops_in(of_columns) + ops_in(replace) + ops_in(swap))


@in_worker
def called_with(fn, x, others):
    """Return what `fn` gives for an array and other arguments, and the array after that."""
    return fn(x, *others), x


@points(1)
@hint("Only a NumPy array and a variable can be changed in place: does your function do that to what it was given?")
def test_arguments_are_left_alone(student, tf, rng):
    """Arrays and variables are what they were before."""
    x, rows = rng.normal(size=(6, 3)).astype("float32"), rng.normal(size=(2, 3)).astype("float32")
    indices = rng.permutation(6)[:2].astype("int32")
    for fn, others, expected in (
        (student.swap_axes, (), x.T),
        (student.replace_rows, (indices, rows), replaced(x, indices, rows)),
    ):
        given, after = called_with(fn, x, others)
        variable = tf.Variable(x)
        assert_tensor(given, expected)
        assert_tensor(fn(variable, *others), expected)
        assert_close(after, x)
        assert_close(variable, x)


@points(1)
@hint("tf.debugging.assert_less and its kin raise at once when called directly, and in a graph when it runs.")
def test_indices_out_of_range(student, tf, rng):
    """An index that is negative or too large raises, in a graph too, and whatever the device does about it."""
    x, rows = rng.normal(size=(7, 2)).astype("float32"), rng.normal(size=(3, 2)).astype("float32")
    matrix = tf.TensorSpec((None, None), "float32")
    graph = tf.function(student.replace_rows, input_signature=[matrix, tf.TensorSpec((None,), "int64"), matrix])
    good = rng.permutation(7)[:3]
    for replace in (student.replace_rows, graph):
        assert_tensor(replace(x, good, rows), replaced(x, good, rows))
        for wrong in (7, int(rng.integers(8, 99)), -1, int(rng.integers(-99, -8))):
            with raises(InvalidArgumentError, f"{wrong} is no index of 7 rows"):
                replace(x, np.array([good[0], wrong, good[1]]), rows)
    assert "Assert" in ops_in(graph), "it is the CPU's scatter that raises here: a GPU's does not"


@in_worker
def totals_in_a_graph(total, vectors):
    """Return the total after each vector, all in one tf.function, and how often that was traced."""

    @tf.function
    def step(x):
        total.add(x)
        return total.result()

    return [step(tf.constant(x)).numpy() for x in vectors], step.experimental_get_tracing_count()


@points(1)
@hint("Make the variable in __init__, and change it by one of its methods: an `=` only gives a name to a new object.")
def test_running_total_in_a_graph(student, rng):
    """In a graph that is traced once, a running total adds up as well, in the one variable that it began with."""
    vectors = rng.normal(size=(4, 3)).astype("float32")
    student.RunningTotal(3).add(vectors[0])
    total = student.RunningTotal(3)
    variables = total.variables
    given, traces = totals_in_a_graph(total, vectors)
    assert_close(given, np.cumsum(vectors, axis=0), atol=1e-5)  # the terms may cancel
    assert_close(total.result(), vectors.sum(axis=0), atol=1e-5)
    assert traces == 1, f"traced {traces} times"
    assert len(variables) == len(total.variables) == 1
    assert variables[0] is total.variables[0]
