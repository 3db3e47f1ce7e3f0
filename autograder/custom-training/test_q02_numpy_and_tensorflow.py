"""Hidden checks: where TensorFlow differs from NumPy without a word."""

from itertools import pairwise

import numpy as np

from gradetape.checks import (
    InvalidArgumentError,
    assert_close,
    assert_each,
    assert_tensor,
    hint,
    in_worker,
    ops_in,
    points,
    proves,
    raises,
)
from gradetape.checks.corners import shapes

DTYPES = ("int32", "int64", "float32", "float64")
PYTHON_OPS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


def graph_of_summary(exported, tf):
    """Return the graph of column_summary, if possible, for matrices of all sizes and of the four dtypes."""
    return exported.if_possible(
        column_summary=[(tf.TensorSpec((None, None), dtype),) for dtype in DTYPES]
    ).column_summary


def graph_of_replacement(exported, tf):
    """Return the graph of replace_rows, if possible, for matrices of all sizes and dtypes."""
    matrices = [tf.TensorSpec((None, None), dtype) for dtype in DTYPES]
    indices = [tf.TensorSpec((None,), dtype) for dtype in DTYPES[:2]]
    return exported.if_possible(
        replace_rows=[(each, vector, each) for each in matrices for vector in indices]
    ).replace_rows


def graph_of_swap(exported, tf, cases):
    """Return the graph of swap_axes, if possible, for tensors of the ranks and dtypes of these cases."""
    ranks = {(x.ndim, x.dtype.name): (tf.TensorSpec((None,) * x.ndim, x.dtype.name),) for (x,) in cases.values()}
    return exported.if_possible(swap_axes=list(ranks.values())).swap_axes


def of_arrays(cases):
    """Return the cases whose inputs are arrays: graphs take these, and the functions themselves all of them."""
    return {case: inputs for case, inputs in cases.items() if all(isinstance(each, np.ndarray) for each in inputs)}


def summary(x):
    """Return NumPy's sum, mean and deviation of each column."""
    x = np.asarray(x)
    if not len(x):
        nothing = np.full(x.shape[1], np.nan, "float64" if x.dtype.kind == "i" else x.dtype)
        return {"sum": x.sum(axis=0), "mean": nothing, "std": nothing}
    with np.errstate(invalid="ignore"):  # infinity minus infinity is NaN, as it should be
        return {"sum": x.sum(axis=0), "mean": x.mean(axis=0), "std": x.std(axis=0)}


@in_worker
def entry(column_summary, name):
    """Make a function of x that gives one entry of the summary."""
    return lambda x: column_summary(x)[name]


def assert_summaries(column_summary, cases, rtol=1e-5, atol=1e-6, names=("sum", "mean", "std")):
    """Show that these entries of the summary are NumPy's in each case."""
    for name in names:
        of_entry, due = entry(column_summary, name), lambda x, name=name: summary(x)[name]
        assert_each(of_entry, {case: (x,) for case, x in cases.items()}, due, f"That is the {name}.", rtol, atol)


def matrix(rng, shape, dtype):
    """Draw a matrix of numbers between -99 and 99."""
    return rng.uniform(-99, 99, size=shape).astype(dtype)


@points(0.5)
@proves("summary-of-integers")
@hint("2,147,483,647 is the largest int32, and float64 counts up to 2**53. In which dtype is your sum added up?")
def test_large_integers(exported, tf, rng):
    """The sum of large integers is right, though it is no int32, or no float64, and so is their mean."""
    offsets = rng.integers(0, 1_000_000, size=(9, 4))
    cases = {
        "large int32": rng.integers(1_000_000_000, 2_000_000_000, size=(9, 4)).astype("int32"),
        "large negative int32": -rng.integers(1_000_000_000, 2_000_000_000, size=(7, 2)).astype("int32"),
        "int64 near 2**53": 2**53 + 2 * offsets + 1,
        "int64 near 2**59": 2**59 + offsets,
    }
    column_summary = graph_of_summary(exported, tf)
    assert_summaries(column_summary, cases, rtol=1e-12, names=("sum", "mean"))
    beyond = {"int64 whose sum is no int64": 2**62 + offsets}
    assert_summaries(column_summary, beyond, rtol=1e-12, names=("mean",))


@points(1)
@proves("summary", "summary-of-integers", "summary-of-floats", "deviation", "no-rows")
@hint("Try all four dtypes, one row, one column, no rows, NaN in one column, and numbers like 10,000 and 10,001.")
def test_columns_of_any_kind(student, exported, tf, rng):
    """The summary is NumPy's for all dtypes and sizes, for NaN and infinities, and for numbers close together."""
    sizes = ((7, 3), (1, 3), (6, 1), (1, 1), (0, 2), (2, 0))
    for dtype, rtol in zip(DTYPES, (1e-12, 1e-12, 1e-5, 1e-12), strict=True):
        cases = {f"{dtype} of shape {size}": matrix(rng, size, dtype) for size in sizes}
        others = {f"a tensor of {dtype}": tf.constant(matrix(rng, (5, 2), dtype))}
        others |= {f"a variable of {dtype}": tf.Variable(matrix(rng, (5, 2), dtype))}
        for column_summary, which in ((graph_of_summary(exported, tf), cases), (student.column_summary, others)):
            assert_summaries(column_summary, which, rtol, atol=1e3 * rtol)  # terms up to 99 that may cancel
    special = matrix(rng, (5, 4), "float32")
    special[1, 1], special[2, 2] = np.nan, np.inf
    column_summary = graph_of_summary(exported, tf)
    assert_summaries(column_summary, {"NaN and an infinity": special, "equal": np.full((5, 2), 7.0)})
    offsets = rng.normal(size=(8, 3))
    close = {"float32": (1e4 + offsets).astype("float32"), "float64": 1e8 + offsets}
    # float32 numbers near 10,000 are 0.001 apart, float64 numbers near 1e8 much less
    assert_summaries(column_summary, close | {"int64": 10**8 + rng.integers(9, size=(8, 3))}, 1e-3, 0)


def replaced(x, indices, rows):
    """Return a copy of x with other rows."""
    x = np.array(x)
    x[np.asarray(indices)] = np.asarray(rows)
    return x


@points(1)
@proves("replaced", "new-tensors")
@hint("Does a row that is replaced leave anything behind, such as NaN? Try no rows, one row and all, and every dtype.")
def test_rows_of_any_kind(student, exported, tf, rng):
    """replace_rows replaces none, one or all rows of any dtype, and nothing stays of what was there before."""
    cases = {}
    for dtype in DTYPES:
        for index in ("int32", "int64"):
            x, rows, indices = matrix(rng, (6, 3), dtype), matrix(rng, (4, 3), dtype), rng.permutation(6)[:4]
            cases[f"{dtype}, indices of {index}"] = (x, indices.astype(index), rows)
        x, rows, indices = matrix(rng, (5, 2), dtype), matrix(rng, (2, 2), dtype), rng.permutation(5)[:2]
        cases[f"tensors of {dtype}"] = (tf.constant(x), tf.constant(indices), tf.constant(rows))
        cases[f"variables of {dtype}"] = (tf.Variable(x), tf.Variable(indices), tf.Variable(rows))
    special, rows = np.full((5, 2), np.nan, "float32"), matrix(rng, (3, 2), "float32")
    special[2:4] = np.inf
    large = 2**62 + rng.integers(0, 999, size=(4, 2))
    cases |= {
        "NaN and infinities that are replaced": (special, rng.permutation(5)[:3], rows),
        "NaN and infinities that come in": (rows, np.array([2, 0]), special[1:3]),
        "int64 near 2**62": (large, np.array([3, 1]), large[:2] + 5000),
        "no rows": (rows, np.zeros(0, "int64"), rows[:0]),
        "one row": (rows, np.array([2], "int32"), rows[:1]),
        "the only row": (rows[:1], np.array([0]), rows[1:2]),
        "all rows": (rows, np.array([2, 0, 1]), -rows),
        "one column": (rows[:, :1], np.array([1, 0]), -rows[:2, :1]),
        "zeros that come in": (rows, np.array([1, 2]), 0 * rows[:2]),
        "rows that were there already": (rows, np.array([0, 1]), rows[:2]),
    }
    assert_each(graph_of_replacement(exported, tf), of_arrays(cases), replaced, rtol=0, atol=0)
    assert_each(student.replace_rows, cases, replaced, rtol=0, atol=0)


@points(0.5)
@proves("swapped", "new-tensors")
@hint("Write down the order of the axes for a tensor with five of them. And what if one of them has size 0 or 1?")
def test_axes_of_any_size(student, exported, tf, rng):
    """swap_axes swaps the first two of two to six axes, whatever their sizes, and keeps the dtype."""
    cases = {case: (matrix(rng, shape, "float32"),) for case, shape in shapes((2, 3, 5), size=2).items()}
    cases |= {f"rank 4, {dtype}": (matrix(rng, (2, 3, 2, 4), dtype),) for dtype in DTYPES}
    cases |= {"rank 6": (matrix(rng, (2, 1, 3, 2, 1, 2), "float32"),), "int64": (2**60 + rng.integers(9, size=(2, 3)),)}
    cases |= {"a tensor": (tf.constant(cases["rank 3"][0]),), "a variable": (tf.Variable(cases["rank 5"][0]),)}
    arrays = of_arrays(cases)
    for swap, which in ((graph_of_swap(exported, tf, arrays), arrays), (student.swap_axes, cases)):
        assert_each(swap, which, lambda x: np.swapaxes(np.asarray(x), 0, 1), rtol=0, atol=0)


@in_worker
def graph_of(fn, *specs):
    """Make a tf.function of `fn` that takes tensors of these shapes and dtypes."""
    return tf.function(fn, input_signature=[tf.TensorSpec(shape, dtype) for shape, dtype in specs])


@in_worker
def seen_by_a_tape(functions, x):
    """Return for each function whether a tape sees what it does to a tensor; NumPy does its work unseen."""
    found = []
    for fn in functions:
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = fn(x)
        found.append(tape.gradient(result, x) is not None)
    return found


@in_worker
def of_one_argument(column_summary, replace_rows, swap_axes):
    """Make functions of x alone."""
    return [
        lambda x: column_summary(x)["sum"],
        lambda x: column_summary(x)["std"],
        lambda x: replace_rows(x, tf.constant([0]), x[1:2]),
        swap_axes,
    ]


@points(0.5)
@proves("in-a-graph")
@hint("While it is traced, a tensor has no numbers, and perhaps no sizes. tf.shape gives a size when it is known.")
def test_unknown_sizes(exported, tf, rng):
    """The functions work in a graph that is traced once and knows no sizes."""
    for dtype in ("int32", "float32"):
        of_columns = graph_of(graph_of_summary(exported, tf), ((None, None), dtype))
        cases = {f"{dtype} of shape {size}": matrix(rng, size, dtype) for size in ((5, 3), (1, 2))}
        assert_summaries(of_columns, cases, atol=1e-4)  # float32 terms up to 99 that may cancel
        specs = ((None, None), dtype), ((None,), "int64"), ((None, None), dtype)
        replace = graph_of(graph_of_replacement(exported, tf), *specs)
        rows = {
            f"{dtype}, {m} of {n}": (matrix(rng, (n, 2), dtype), rng.permutation(n)[:m], matrix(rng, (m, 2), dtype))
            for n, m in ((5, 2), (3, 3), (4, 0), (1, 1))
        }
        assert_each(replace, rows, replaced, rtol=0, atol=0)
    for rank, sizes in ((2, ((2, 3), (3, 1))), (3, ((2, 3, 4), (0, 1, 2))), (5, ((2, 3, 4, 1, 2), (3, 1, 1, 2, 1)))):
        graph = exported.if_possible(swap_axes=[tf.TensorSpec((None,) * rank, "float32")]).swap_axes
        swap = graph_of(graph, ((None,) * rank, "float32"))
        axes = {f"shape {size}": (matrix(rng, size, "float32"),) for size in sizes}
        assert_each(swap, axes, lambda x: np.swapaxes(x, 0, 1), rtol=0, atol=0)


@points(0.5)
@proves("no-python")
@hint("Which of your functions would still work in a process without Python, and without NumPy?")
def test_tensorflow_from_end_to_end(student, exported, tf, rng):
    """The functions are TensorFlow's from end to end, directly and in a graph: nothing calls NumPy or Python."""
    x = matrix(rng, (4, 3), "float32")
    any_matrix, any_vector = tf.TensorSpec((None, None), "float32"), tf.TensorSpec((None,), "int64")
    assert_tensor(student.swap_axes(x), x.T)
    signatures = {
        "column_summary": [any_matrix],
        "replace_rows": [any_matrix, any_vector, any_matrix],
        "swap_axes": [any_matrix],
    }
    graphs = exported.if_possible(**signatures)
    for name, specs in signatures.items():
        found = ops_in(getattr(graphs, name), *specs)
        assert not PYTHON_OPS.intersection(found), "Python runs with each call of the graph"
    functions = of_one_argument(student.column_summary, student.replace_rows, student.swap_axes)
    seen = seen_by_a_tape(functions, tf.constant(x))
    assert all(seen), f"called directly, something is computed outside of TensorFlow: {seen}"


@in_worker
def called_with(fn, arguments):
    """Return what `fn` gives for these arguments, and the arguments after that."""
    return fn(*arguments), arguments


@points(0.5)
@proves("left-alone", "new-tensors")
@hint("Only a NumPy array and a variable can be changed in place: does your function do that to what it was given?")
def test_arguments_are_left_alone(student, tf, rng):
    """Arrays and variables are what they were before."""
    x, rows = matrix(rng, (6, 3), "float32"), matrix(rng, (2, 3), "float32")
    indices = rng.permutation(6)[:2].astype("int32")
    sums = entry(student.column_summary, "std")
    for fn, arguments, expected in (
        (sums, (x,), x.std(axis=0)),
        (student.swap_axes, (x,), x.T),
        (student.replace_rows, (x, indices, rows), replaced(x, indices, rows)),
    ):
        variables = [tf.Variable(argument) for argument in arguments]
        for given, after in (called_with(fn, list(arguments)), called_with(fn, variables)):
            assert_tensor(given, expected)
            for argument, left in zip(arguments, after, strict=True):
                assert_close(left, argument, "An argument was changed.", rtol=0, atol=0)


def assert_refuses(replace, x, rows, dtype):
    """Show that wrong indices raise, wherever they stand among the right ones."""
    n, m = len(x), len(rows)
    good = np.arange(m, dtype=dtype)
    assert_tensor(replace(x, good, rows), replaced(x, good, rows))
    for wrong in (n, n + 5, -1, -n, -n - 3, *((2**32, 2**32 + 1, -(2**32), 2**62) if dtype == "int64" else ())):
        for place in (0, m - 1):
            indices = good.copy()
            indices[place] = wrong
            with raises(InvalidArgumentError, f"{wrong} is no index of {n} rows"):
                replace(x, indices, rows)


@points(0.5)
@proves("wrong-indices")
@hint("tf.debugging.assert_less and its kin look at every index. Is n - 1 allowed, n not? And what is 2**32 as int32?")
def test_indices_out_of_range(student, exported, tf, rng):
    """An index that is negative or too large raises, directly and in a graph, wherever it stands."""
    x, rows = matrix(rng, (7, 2), "float32"), matrix(rng, (3, 2), "float32")
    for dtype in ("int32", "int64"):
        specs = ((None, None), "float32"), ((None,), dtype), ((None, None), "float32")
        graph = graph_of(graph_of_replacement(exported, tf), *specs)
        assert_refuses(student.replace_rows, x, rows, dtype)
        assert_refuses(graph, x, rows[:1], dtype)
    last = np.array([6])
    assert_tensor(student.replace_rows(x, last, rows[:1]), replaced(x, last, rows[:1]))


@in_worker
def as_on_a_gpu(fn, dtype):
    """Make a function from the graph of `fn` in which, as on a GPU, operations that scatter skip wrong indices."""
    from google.protobuf import text_format

    matrix = tf.TensorSpec((None, None), "float32")
    graph = tf.function(fn).get_concrete_function(matrix, tf.TensorSpec((None,), dtype), matrix).graph
    definition = graph.as_graph_def()
    for node in [*definition.node, *(node for body in definition.library.function for node in body.node_def)]:
        if "bad_indices_policy" in node.attr:
            node.attr["bad_indices_policy"].s = b"IGNORE"
    text = text_format.MessageToString(definition)
    for body in definition.library.function:  # TensorFlow knows other functions of these names, which were loaded
        text = text.replace(f'"{body.signature.name}"', f'"{body.signature.name}_on_a_gpu"')
    definition = text_format.Parse(text, type(definition)())
    imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    inputs = [tensor.name for tensor in graph.inputs if tensor.dtype != tf.resource]
    run = imported.prune(inputs, [tensor.name for tensor in graph.outputs])

    def call(x, indices, rows):
        with tf.device("CPU:0"):  # a GPU would skip the assertions of some graphs
            return run(tf.constant(x), tf.constant(indices), tf.constant(rows))[0]

    return call


@points(0.5)
@proves("every-device")
@hint("A GPU skips wrong indices when it scatters. Which of your assertions sees an index below 0, which one above?")
def test_indices_on_every_device(exported, tf, rng):
    """A wrong index raises because the graph asserts it, on both sides, and not because the CPU refuses to scatter."""
    x, rows = matrix(rng, (5, 2), "float32"), matrix(rng, (2, 2), "float32")
    for dtype in ("int32", "int64"):
        assert_refuses(as_on_a_gpu(graph_of_replacement(exported, tf), dtype), x, rows, dtype)


@in_worker
def totals_in_a_graph(totals, vectors):
    """Add to two totals by turns, in one tf.function and directly; return results and how often it was traced."""
    one, other = totals

    @tf.function
    def step(x, y):
        one.add(x)
        before = one.result()
        other.add(y)
        one.add(y)
        return before, one.result(), other.result()

    found = []
    for number in range(len(vectors) - 1):
        x, y = vectors[number], vectors[number + 1]
        found.append(step(tf.constant(x), tf.constant(y)))
        other.add(x)
        found.append((one.result(), other.result()))
    return found, step.experimental_get_tracing_count()


@in_worker
def stepping(one, other):
    """Return a function that adds to two totals by turns."""

    def step(x, y):
        one.add(x)
        before = one.result()
        other.add(y)
        one.add(y)
        return before, one.result(), other.result()

    return step


@points(0.5)
@proves("module", "one-variable", "own-total", "total", "result")
@hint("Make the variable in __init__, and change it by one of its methods: an `=` only gives a name to a new object.")
def test_running_total_in_a_graph(student, exported, rng):
    """In a graph that is traced once, and directly, each total adds up in the one variable that it began with."""
    for size in (3, 1):
        vectors = rng.normal(size=(4, size)).astype("float32")
        student.RunningTotal(5).add(np.ones(5, "float32"))
        totals = [student.RunningTotal(size), student.RunningTotal(size)]
        variables = [total.variables for total in totals]
        given, traces = totals_in_a_graph(totals, vectors)
        totals_of_graph = [student.RunningTotal(size), student.RunningTotal(size)]
        step = exported.if_possible(step=(stepping(*totals_of_graph), [tuple(vectors[:2])])).step
        graph = [np.stack(list(map(np.asarray, step(x, y)))) for x, y in pairwise(vectors)]
        due = [(vectors[:-1][:n].sum(0) + vectors[1:][:n].sum(0), vectors[1:][:n].sum(0)) for n in range(4)]
        for number, found in enumerate(graph):
            expected = np.stack([due[number][0] + vectors[number], due[number + 1][0], due[number + 1][1]])
            assert_close(found, expected, f"That is step {number} of a graph, vectors of {size}.", atol=1e-5)
        one = other = np.zeros(size, "float32")
        for number, (x, y) in enumerate(pairwise(vectors)):
            due = (one + x, one + x + y, other + y, one + x + y, other + y + x)
            for result, expected in zip((*given[2 * number], *given[2 * number + 1]), due, strict=True):
                assert_tensor(result, expected, f"That is step {number}, vectors of {size}.", atol=1e-5)  # may cancel
            one, other = due[1], due[4]
        assert traces == 1, f"traced {traces} times"
        for total, before in zip(totals, variables, strict=True):
            assert len(before) == len(total.variables) == 1, f"{len(total.variables)} variables"
            assert before[0] is total.variables[0], "another variable"
            assert_close(before[0], total.result())
            assert isinstance(total.name, str), "a tf.Module gets its name from super().__init__()"
