"""Hidden checks: every pair of dtypes, numbers that get lost on the way, and structures of all kinds."""

from itertools import product

import numpy as np

from gradetape.checks import assert_tensor, hint, in_worker, points

DTYPES = ("int32", "int64", "float32", "float64")


def numbers(rng, shape, dtype):
    """Draw small positive numbers."""
    return np.asarray(rng.uniform(1, 999, size=shape)).astype(dtype)


def promoted(a, b):
    """Return a + b with NumPy's promotion of dtypes, which ranks have no say in."""
    dtype = np.promote_types(a.dtype, b.dtype)
    return np.asarray(a.astype(dtype) + b.astype(dtype))


@points(1)
@hint("Go through the table row by row. Does a tensor without axes get another dtype than one with axes?")
def test_every_pair(student, tf, rng):
    """Every pair of dtypes gives NumPy's dtype, for tensors of any rank."""
    for one, other in product(DTYPES, repeat=2):
        for shapes in (((3,), (2, 3)), ((), (4,)), ((2, 1), ())):
            a, b = numbers(rng, shapes[0], one), numbers(rng, shapes[1], other)
            assert_tensor(student.add_promoted(tf.constant(a), tf.constant(b)), promoted(a, b))


@points(1)
@hint("What is cast twice can lose on the first way what the second cannot bring back.")
def test_nothing_is_lost(student, tf, rng):
    """Numbers that float32 cannot hold come out right where the result can hold them."""
    odd = 2 * rng.integers(2**24, 2**29, size=6) + 1
    half = (rng.integers(1, 99, size=6) + 0.5).astype("float32")
    for a, b in (
        (odd.astype("int32"), half),
        (half, odd),
        (odd * 2**20 + 1, odd.astype("int32")),
        (odd.astype("int32"), half + odd),
    ):
        assert_tensor(student.add_promoted(tf.constant(a), tf.constant(b)), promoted(a, b), rtol=0, atol=0)


@points(1)
@hint("A tensor that is being traced has a dtype, but no numbers that NumPy could look at.")
def test_promotion_in_a_graph(student, tf, rng):
    """Promotion works in a graph, for sizes that are unknown when it is traced."""
    for one, other in (("int64", "float32"), ("float32", "float64"), ("int32", "int64")):
        signature = [tf.TensorSpec((None, None), one), tf.TensorSpec((None,), other)]
        graph = tf.function(student.add_promoted, input_signature=signature)
        for size in (2, 5):
            a, b = numbers(rng, (3, size), one), numbers(rng, (size,), other)
            assert_tensor(graph(a, b), promoted(a, b))


def single(nested):
    """Return the structure with each float64 array in it as float32."""
    if isinstance(nested, dict):
        return {key: single(value) for key, value in nested.items()}
    if isinstance(nested, list | tuple):
        return type(nested)(single(value) for value in nested)
    return nested.astype("float32") if nested.dtype == "float64" else nested


def assert_same(given, expected, check):
    """Show that two structures are alike, with `check` for what is at their ends."""
    if isinstance(expected, np.ndarray):
        check(given, expected)
        return
    assert type(given) is type(expected)
    assert len(given) == len(expected)
    for key in expected if isinstance(expected, dict) else range(len(expected)):
        assert_same(given[key], expected[key], check)


def data(rng):
    """Draw a structure with arrays of many dtypes in it."""
    ends = [numbers(rng, (2, 3), dtype) for dtype in ("float64", "float32", "float16", "int32", "int64", "uint8")]
    flags = rng.integers(2, size=4) == 1
    deep = [{"ends": tuple(ends[1:4]), "flags": flags}, [rng.normal(size=3), rng.normal(size=3)], ()]
    return ({"deep": deep, "first": ends[0]}, [ends[4], (ends[5],), rng.normal(size=())], {})


@points(1)
@hint("Dictionaries, lists and tuples may hold one another. Only float64 changes, and only arrays become tensors.")
def test_deep_structures(student, tf, rng):
    """A structure of any depth keeps its form, and all but float64 keeps its dtype."""
    nested, names, array = data(rng), tf.constant(["a", "b"]), rng.normal(size=3)
    assert_same(student.to_single_precision(nested), single(nested), assert_tensor)
    mixed = student.to_single_precision((names, [tf.constant(array)]))
    assert type(mixed) is tuple
    assert np.asarray(mixed[0]).tolist() == [b"a", b"b"]
    assert_tensor(mixed[1][0], array.astype("float32"))


@in_worker
def called_with(fn, nested):
    """Return what `fn` gives for a structure, and the structure after that."""
    return fn(nested), nested


def assert_array(given, expected):
    """Show that an array is the expected one, to the last bit."""
    assert isinstance(given, np.ndarray)
    assert given.dtype == expected.dtype
    assert np.array_equal(given, expected)


@points(1)
@hint("Make new dictionaries and lists: those that you were given belong to someone else.")
def test_the_given_structure_stays(student, rng):
    """The structure that was given is what it was before."""
    nested = data(rng)
    given, after = called_with(student.to_single_precision, nested)
    assert_same(given, single(nested), assert_tensor)
    assert_same(after, nested, assert_array)
