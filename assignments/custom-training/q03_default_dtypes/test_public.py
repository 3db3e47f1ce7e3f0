import numpy as np

from gradetape.checks import assert_tensor, hint, in_worker, points, proves


@points(1)
@proves("range", "range-dtype", "any-length")
@hint("tf.range has an argument for its dtype. And is your tensor an int64 one too if it is empty?")
def test_arange(exported, rng):
    """arange_like_numpy gives int64, as NumPy does, for any n."""
    lengths = (int(rng.integers(5, 50)), 1, 0)
    arange_like_numpy = exported.if_possible(arange_like_numpy=[(n,) for n in lengths]).arange_like_numpy
    for n in lengths:
        assert_tensor(arange_like_numpy(n), np.arange(n, dtype="int64"), f"That is arange_like_numpy({n}).")


@in_worker
def on_tensors(function):
    """Make a function take arrays."""
    return lambda *arrays: function(*map(tf.constant, arrays))


@points(1)
@proves("sum", "promotion")
@hint("Cast both to the dtype in the table before you add. Is it the dtype of one of them?")
def test_promotion(exported, rng):
    """int32 and float32 make float64, and int32 and int64 make int64, in either order."""
    whole, small, real = rng.integers(1, 99, size=5), rng.integers(1, 99, size=5), rng.uniform(1, 9, size=5)
    whole, small, real = whole.astype("int64"), small.astype("int32"), real.astype("float32")
    cases = ((small, real, "float64"), (real, small, "float64"), (small, whole, "int64"))
    add_promoted = exported.if_possible(add_promoted=[(a, b) for a, b, _ in cases]).add_promoted
    for a, b, dtype in cases:
        expected = a.astype(dtype) + b.astype(dtype)
        given = on_tensors(add_promoted)(a, b)
        assert_tensor(given, expected, f"That is {a.dtype} plus {b.dtype}.")


@in_worker
def on_a_dictionary(to_single_precision):
    """Make a function of three arrays, which puts them into a dictionary with a list in it."""

    def of_arrays(x, first, second):
        return to_single_precision({"x": x, "ids": [first, second]})

    return of_arrays


@points(1)
@proves("tensors", "float64-becomes-float32", "other-dtypes", "structure")
@hint("tf.nest does something with each end of a nested structure. And which ends must not change their dtype?")
def test_single_precision(student, exported, rng):
    """float64 becomes float32, and integers stay integers, in a dictionary with a list in it."""
    x, ids = rng.normal(size=(4, 2)), rng.integers(99, size=(2, 3)).astype("int64")
    ends = (x, ids[0], ids[1])
    given = exported.if_possible(given=(on_a_dictionary(student.to_single_precision), [ends])).given(*ends)
    assert type(given) is dict, f"expected a dictionary, but your code gave {given!r}"
    assert sorted(given) == ["ids", "x"], f"expected the keys 'ids' and 'x', but your code gave {sorted(given)}"
    assert type(given["ids"]) is list, f"expected a list under 'ids', but your code gave {given['ids']!r}"
    assert len(given["ids"]) == 2, f"expected 2 tensors under 'ids', but your code gave {len(given['ids'])}"
    assert_tensor(given["x"], x.astype("float32"), "That is a float64 array.")
    assert_tensor(given["ids"][0], ids[0], "That is an int64 array.")
    assert_tensor(given["ids"][1], ids[1], "That is an int64 array.")
