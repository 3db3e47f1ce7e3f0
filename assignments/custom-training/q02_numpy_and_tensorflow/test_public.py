import numpy as np

from gradetape.checks import assert_tensor, hint, points, proves


@points(1)
@proves("summary", "summary-of-integers", "summary-of-floats", "deviation")
@hint("Which dtype do TensorFlow's reduce functions give for integers? Cast first.")
def test_column_summary(student, exported, rng):
    """The sum, mean and deviation of each column have NumPy's values and dtypes."""
    cases = [rng.integers(-9, 9, size=(7, 3)).astype("int64"), rng.uniform(1, 9, size=(6, 4)).astype("float32")]
    graph = exported.if_possible(column_summary=[(x,) for x in cases]).column_summary
    for summary, x in [(each, x) for x in cases for each in (student.column_summary, graph)]:
        given = summary(x)
        assert type(given) is dict, f"expected a dictionary, but your code gave {given!r}"
        assert set(given) == {"sum", "mean", "std"}, f"expected the keys sum, mean and std, but yours are {set(given)}"
        for name, expected in (("sum", x.sum(axis=0)), ("mean", x.mean(axis=0)), ("std", x.std(axis=0))):
            assert_tensor(given[name], expected, f"That is the {name} of columns of {x.dtype}.")


@points(1)
@proves("replaced")
@hint("Nothing can be assigned to a tensor. Which functions with `scatter` in their names make a new one?")
def test_replace_rows(student, exported, rng):
    """replace_rows gives the array that an assignment to these rows would give."""
    for dtype in ("float32", "int64"):
        x, rows = rng.normal(0, 50, size=(8, 3)).astype(dtype), rng.normal(0, 50, size=(4, 3)).astype(dtype)
        expected, indices = x.copy(), rng.permutation(8)[:4]
        expected[indices] = rows
        graph = exported.if_possible(replace_rows=[(x, indices, rows)]).replace_rows
        for replace in (student.replace_rows, graph):
            assert_tensor(replace(x, indices, rows), expected, f"The indices were {indices}.")


@points(0.5)
@proves("swapped")
@hint("What does a reshape do to the numbers? And what does a transpose without further arguments do to a third axis?")
def test_swap_axes(student, exported, rng):
    """swap_axes swaps the first two axes and leaves the others."""
    cases = [rng.normal(size=shape).astype("float32") for shape in ((2, 5), (3, 4, 2), (2, 3, 4, 2))]
    graph = exported.if_possible(swap_axes=[(x,) for x in cases]).swap_axes
    for x in cases:
        for swap in (student.swap_axes, graph):
            assert_tensor(swap(x), np.swapaxes(x, 0, 1), f"The shape was {x.shape}.")


@points(0.5)
@proves("total", "result", "own-total")
@hint("What you hand out must not be the variable itself. And what do two modules share?")
def test_running_total(student, exported, rng):
    """A running total adds up what it is given, and results that were handed out do not change."""
    first, second, other = rng.normal(size=(3, 4)).astype("float32")
    total, another = student.RunningTotal(4), student.RunningTotal(4)
    graphs = exported.if_possible(
        add=(total.add, [(first,)]), result=(total.result, [()]), add_to_another=(another.add, [(other,)])
    )
    total, another = student.RunningTotal(4), student.RunningTotal(4)
    themselves = total.add, total.result, another.add
    for add, result, add_to_another in (themselves, (graphs.add, graphs.result, graphs.add_to_another)):
        assert_tensor(result(), np.zeros(4, "float32"), "Nothing was added yet.")
        add(first)
        before = result()
        add(second)
        add_to_another(other)
        assert_tensor(before, first, "That is a result from before the second vector was added.")
        assert_tensor(result(), first + second, "Two vectors were added, and one to another module.")
