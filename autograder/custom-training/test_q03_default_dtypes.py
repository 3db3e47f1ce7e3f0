"""Hidden checks: every pair of dtypes, numbers that get lost on the way, and structures of all kinds."""

from itertools import product

import numpy as np

from gradetape.checks import assert_each, assert_tensor, hint, in_worker, points, proves

EVERY_PAIR = tuple(product(("int32", "int64", "float32", "float64"), repeat=2))


@in_worker
def ends_of_ranges(arange_like_numpy, lengths):
    """Return, for each n, the shape of the range, and its first and last numbers."""
    ranges = [arange_like_numpy(n) for n in lengths]
    return [(tuple(numbers.shape), tf.concat([numbers[:3], numbers[-3:]], axis=0)) for numbers in ranges]


@points(0.5)
@proves("any-length", "range", "range-dtype")
@hint("float32 counts one by one up to 16,777,216. Do your integers go through floats?")
def test_long_ranges(student, rng):
    """arange_like_numpy counts one by one to the end, also where float32 could not."""
    lengths = [6, int(rng.integers(1000, 5000)), 2**24 + 2 * int(rng.integers(2, 9))]
    for n, (shape, given) in zip(lengths, ends_of_ranges(student.arange_like_numpy, lengths), strict=True):
        assert shape == (n,), f"arange_like_numpy({n}) has shape {shape}"
        assert_tensor(given, np.r_[0:3, n - 3 : n].astype("int64"), f"The ends of arange_like_numpy({n}).")


@in_worker
def on_tensors(add_promoted):
    """Make `add_promoted` take arrays."""
    return lambda a, b: add_promoted(tf.constant(a), tf.constant(b))


def numbers(rng, shape, dtype):
    """Draw small numbers that are not 0."""
    return np.asarray(rng.uniform(1, 999, size=shape) * rng.choice([-1, 1], size=shape)).astype(dtype)


def promoted(a, b):
    """Return a + b with NumPy's promotion of dtypes, which ranks have no say in."""
    dtype = np.promote_types(a.dtype, b.dtype)
    return np.asarray(a.astype(dtype) + b.astype(dtype))


def pairs(rng, shapes, dtypes=EVERY_PAIR):
    """Draw tensors of these pairs of dtypes, and of these pairs of shapes."""
    return {
        f"{one} of shape {shape} and {other} of shape {other_shape}": (
            numbers(rng, shape, one),
            numbers(rng, other_shape, other),
        )
        for one, other in dtypes
        for shape, other_shape in shapes
    }


@points(0.5)
@proves("promotion", "sum")
@hint("Go through the table row by row. Does a tensor without axes get another dtype than one with axes?")
def test_every_pair(student, rng):
    """Every pair of dtypes gives NumPy's dtype, for tensors with and without axes."""
    cases = pairs(rng, [((3,), (3,)), ((), (4,)), ((2, 1), ()), ((), ())])
    assert_each(on_tensors(student.add_promoted), cases, promoted, rtol=1e-6)


@points(0.5)
@proves("any-rank")
@hint("`+` broadcasts whatever can be broadcast: axes of size 1, axes that are missing, and empty ones.")
def test_shapes_that_can_be_broadcast(student, rng):
    """Tensors of all ranks are added if their shapes can be broadcast, empty ones too."""
    shapes = [
        ((2, 1), (1, 3)),
        ((3,), (4, 1, 1)),
        ((0,), ()),
        ((1,), (0, 1)),
        ((1,), (1,)),
        ((2, 1, 2), (3, 1, 1, 1, 1)),
    ]
    some = [("int32", "int64"), ("float32", "float32"), ("int64", "float32")]
    assert_each(on_tensors(student.add_promoted), pairs(rng, shapes, some), promoted, rtol=1e-6)


@points(1)
@proves("exact")
@hint("What is cast twice can lose on the first way what the second cannot bring back. Is there a float on the way?")
def test_nothing_is_lost(student, rng):
    """Numbers come out right to the last digit where the result can hold them, large and infinite ones too."""
    odd = 2 * rng.integers(2**24, 2**29, size=6) + 1
    huge, small = 2**53 + 2 * odd + 1, odd.astype("int32")
    half, real = (rng.integers(1, 99, size=6) + 0.5).astype("float32"), rng.normal(size=6)
    special = np.array([np.inf, -np.inf, 3e38, -3e38, 2e-38, 0.5], "float32")
    cases = {
        "large int32 and float32": (small, half),
        "float32 and large int64": (half, odd),
        "int64 beyond 2**53 and int32": (huge, small),
        "int32 and int64 beyond 2**53": (small, huge),
        "int64 beyond 2**53 twice": (huge, -odd),
        "int32 twice": (small, small - 2**30),
        "large int32 and float64": (small, half + odd),
        "float64 with all its digits and float32": (real, half),
        "float64 beyond float32 and float32": (real * 1e60, half),
        "float32 with infinities and int32": (special, small),
        "float32 with infinities, twice": (special, special),
        "float64 with infinities and int64": (special.astype("float64"), odd),
    }
    assert_each(on_tensors(student.add_promoted), cases, promoted, rtol=0, atol=0)


@in_worker
def graphs_of(fn, signatures):
    """Make a graph of `fn` for each pair of dtypes, of matrices and vectors of unknown sizes; take arrays by dtype."""
    graphs = {
        names: tf.function(
            fn, input_signature=[tf.TensorSpec((None, None), names[0]), tf.TensorSpec((None,), names[1])]
        )
        for names in signatures
    }
    return lambda a, b: graphs[a.dtype.name, b.dtype.name](tf.constant(a), tf.constant(b))


@points(0.5)
@proves("in-a-graph", "any-rank")
@hint("A tensor that is being traced has a dtype, but no numbers that NumPy could look at.")
def test_promotion_in_a_graph(student, rng):
    """Promotion works in a graph, for sizes that are unknown when it is traced."""
    graphs = graphs_of(student.add_promoted, EVERY_PAIR)
    assert_each(graphs, pairs(rng, [((3, 2), (2,)), ((1, 5), (1,)), ((4, 1), (0,))]), promoted, rtol=1e-6)


def single(nested):
    """Return the structure with each float64 array in it as float32."""
    if isinstance(nested, dict):
        return {key: single(value) for key, value in nested.items()}
    if isinstance(nested, list | tuple):
        return type(nested)(single(value) for value in nested)
    return nested.astype("float32") if nested.dtype == "float64" else nested


def assert_same(given, expected, check, place="nested"):
    """Show that two structures are alike, with `check` for what is at their ends; `place` says where we are."""
    if isinstance(expected, np.ndarray):
        check(given, expected, f"That is {place}.")
        return
    assert type(given) is type(expected), f"{place} should be a {type(expected).__name__}, but it is {given!r}"
    assert len(given) == len(expected), f"{place} should have {len(expected)} elements, but it has {len(given)}"
    if isinstance(expected, dict):
        assert set(given) == set(expected), f"{place} should have the keys {sorted(expected)}, but has {sorted(given)}"
    for key in expected if isinstance(expected, dict) else range(len(expected)):
        assert_same(given[key], expected[key], check, f"{place}[{key!r}]")


def ends(rng):
    """Draw arrays of many shapes and dtypes."""
    integers = [rng.integers(0, 99, size=(2, 3)).astype(name) for name in ("int8", "int16", "int32", "uint8", "uint32")]
    large = [2**53 + rng.integers(1, 99, size=3), np.uint64(2**64 - 1) - rng.integers(1, 99, size=2).astype("uint64")]
    floats = [rng.normal(size=shape) for shape in ((2, 3), (), (1,), (0,), (2, 0, 1))]
    special = [np.array([np.nan, np.inf, -np.inf, 0.1, 1e300]), (rng.normal(size=4) * 1e-3).astype("float16")]
    others = [rng.normal(size=(2, 2)).astype("float32"), rng.integers(2, size=4) == 1, np.array([["a", "bc", "é"]])]
    single_numbers = [np.array(7, "uint8"), np.array(2**53 + 1), np.array(0.5, "float16"), np.array(True)]
    return integers + large + floats + special + others + single_numbers


def structure(rng, leaves, depth):
    """Draw a structure of that depth with some of the leaves at its ends, and all of its containers in it."""
    some = [leaves[index] for index in rng.integers(len(leaves), size=4)]
    if depth == 0:
        return some[0]
    inner = structure(rng, leaves, depth - 1)
    kinds = ({"z": some[0], "a": inner, "": {}}, [inner, some[1], [], some[1]], (some[2], (), inner), [inner], (inner,))
    return kinds[rng.integers(len(kinds))]


def data(rng):
    """Draw structures of many kinds and depths."""
    leaves = ends(rng)
    return {
        "all": {"list": list(leaves), "tuple": tuple(leaves), "dict": {str(n): leaf for n, leaf in enumerate(leaves)}},
        "single array": leaves[7],
        "single integers": leaves[5],
        "equal shapes": [leaves[7], 2 * leaves[7]],
        "one in a list": [leaves[7]],
        "one in a tuple": (leaves[7],),
        "empty": [{}, [], (), [[]], ((), {}), {"a": {}, "b": []}],
        "deep": structure(rng, leaves, 12),
        "random": [structure(rng, leaves, depth) for depth in (1, 2, 3, 4)],
    }


@in_worker
def each_of(fn, structures):
    """Return what `fn` gives for each structure, and the structures after that."""
    return {name: fn(nested) for name, nested in structures.items()}, structures


@in_worker
def with_integers_as_keys(fn, array):
    """Return the keys of dictionaries whose keys are integers, and a value in them; only texts are sent as keys."""
    given = fn({3: [array], 1: ({-2: array},)})
    return list(given), list(given[1][0]), given[1][0][-2]


@points(1)
@proves("structure", "tensors", "float64-becomes-float32", "other-dtypes")
@hint("Dictionaries, lists and tuples may hold one another, at any depth, or hold nothing. Only float64 changes.")
def test_deep_structures(student, rng):
    """A structure of any depth keeps its form, and all but float64 keeps its dtype and its numbers."""
    structures = data(rng)
    given, _ = each_of(student.to_single_precision, structures)
    for name, nested in structures.items():
        with np.errstate(over="ignore"):  # 1e300 becomes infinite
            assert_same(given[name], single(nested), assert_tensor, name)
    for empty in ({}, [], ()):
        assert_same(student.to_single_precision(empty), empty, assert_tensor)
    array = rng.normal(size=2)
    keys, inner_keys, value = with_integers_as_keys(student.to_single_precision, array)
    assert sorted(keys) == [1, 3], f"the keys 1 and 3 became {keys}"
    assert inner_keys == [-2], f"the key -2 became {inner_keys}"
    assert_tensor(value, array.astype("float32"))


@in_worker
def of_tensors(to_single_precision, array):
    """Return what becomes of tensors of many dtypes, by dtype, and the dtype that each had."""
    names = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "uint8", "bool")
    tensors = {name: [tf.cast(array, name)] for name in names} | {"string": [tf.strings.as_string(array)]}
    complex_numbers = to_single_precision((tf.complex(array, array), array + 1j))
    return to_single_precision(tensors), tensors, [tf.convert_to_tensor(value).dtype.name for value in complex_numbers]


@points(0.5)
@proves("other-dtypes", "float64-becomes-float32", "tensors")
@hint("Ends may be tensors already. Which dtypes does your code know, and what becomes of the others?")
def test_ends_that_are_tensors(student, rng):
    """Tensors keep every dtype but float64, as arrays do, complex numbers and strings too."""
    array = rng.integers(1, 9, size=(2, 2)) / 2
    given, tensors, complex_numbers = of_tensors(student.to_single_precision, array)
    assert complex_numbers == ["complex128", "complex128"], f"complex128 becomes {complex_numbers}"
    for name, (value,) in given.items():
        (tensor,) = tensors[name]
        expected = array.astype("float32") if name == "float64" else np.asarray(tensor)
        assert_tensor(value, expected, f"That is a tensor of {name}.")


def assert_array(given, expected, advice):
    """Show that an array is the expected one, to the last bit."""
    assert isinstance(given, np.ndarray), f"expected an array, but it is {given!r}. {advice}"
    assert given.dtype == expected.dtype, f"expected {expected.dtype}, but it is {given.dtype}. {advice}"
    assert np.array_equal(given, expected, equal_nan=expected.dtype.kind == "f"), advice


@points(0.5)
@proves("left-alone")
@hint("Make new dictionaries and lists: those that you were given belong to someone else.")
def test_the_given_structure_stays(student, rng):
    """The structure that was given is what it was before."""
    nested = data(rng)
    given, after = each_of(student.to_single_precision, nested)
    assert_tensor(given["single array"], nested["single array"].astype("float32"))
    assert_same(after, nested, assert_array)
