import numpy as np

from gradetape.checks import assert_tensor, hint, points, proves


@points(1)
@proves("range", "range-dtype", "any-length")
@hint("tf.range has an argument for its dtype. And is your tensor an int64 one too if it is empty?")
def test_arange(student, rng):
    """arange_like_numpy gives int64, as NumPy does, for any n."""
    for n in (int(rng.integers(5, 50)), 1, 0):
        assert_tensor(student.arange_like_numpy(n), np.arange(n, dtype="int64"), f"That is arange_like_numpy({n}).")


@points(1)
@proves("sum", "promotion")
@hint("Cast both to the dtype in the table before you add. Is it the dtype of one of them?")
def test_promotion(student, tf, rng):
    """int32 and float32 make float64, and int32 and int64 make int64, in either order."""
    whole, small, real = rng.integers(1, 99, size=5), rng.integers(1, 99, size=5), rng.uniform(1, 9, size=5)
    whole, small, real = whole.astype("int64"), small.astype("int32"), real.astype("float32")
    for a, b, dtype in ((small, real, "float64"), (real, small, "float64"), (small, whole, "int64")):
        expected = a.astype(dtype) + b.astype(dtype)
        given = student.add_promoted(tf.constant(a), tf.constant(b))
        assert_tensor(given, expected, f"That is {a.dtype} plus {b.dtype}.")


@points(1)
@proves("tensors", "float64-becomes-float32", "other-dtypes", "structure")
@hint("tf.nest does something with each end of a nested structure. And which ends must not change their dtype?")
def test_single_precision(student, rng):
    """float64 becomes float32, and integers stay integers, in a dictionary with a list in it."""
    x, ids = rng.normal(size=(4, 2)), rng.integers(99, size=(2, 3)).astype("int64")
    given = student.to_single_precision({"x": x, "ids": [ids[0], ids[1]]})
    assert type(given) is dict, f"expected a dictionary, but your code gave {given!r}"
    assert sorted(given) == ["ids", "x"], f"expected the keys 'ids' and 'x', but your code gave {sorted(given)}"
    assert type(given["ids"]) is list, f"expected a list under 'ids', but your code gave {given['ids']!r}"
    assert len(given["ids"]) == 2, f"expected 2 tensors under 'ids', but your code gave {len(given['ids'])}"
    assert_tensor(given["x"], x.astype("float32"), "That is a float64 array.")
    assert_tensor(given["ids"][0], ids[0], "That is an int64 array.")
    assert_tensor(given["ids"][1], ids[1], "That is an int64 array.")
