import numpy as np

from gradetape.checks import assert_close, assert_tensor, hint, in_worker, points, proves


@in_worker
def making(make_batches, features, labels, size, seed):
    """Return a function without arguments that makes a dataset."""

    def dataset():
        return make_batches(features, labels, size, seed)

    return dataset


@in_worker
def described(dataset):
    """Return whether it is a dataset of pairs, and what it is otherwise."""
    if not isinstance(dataset, tf.data.Dataset):
        return False, False, repr(dataset)
    spec = dataset.element_spec
    return True, type(spec) is tuple and len(spec) == 2, repr(spec)


@in_worker
def one_epoch(dataset, limit):
    """Return the batches of one epoch as arrays, but no more than `limit` of them."""
    return [(x.numpy(), y.numpy()) for x, y in dataset.take(limit)]


@points(1)
@proves("pairs", "once-an-epoch", "remainder")
@hint("Slice the arrays into examples, shuffle these, then batch them. The message says what came instead.")
def test_an_epoch_in_batches(student, exported, rng):
    """Every epoch has each example once, with its label, in batches of which the last may be smaller."""
    size, full = rng.integers(4, 9, size=2).tolist()
    sizes = [size] * full + [int(rng.integers(1, size))]
    features, labels = rng.normal(size=(sum(sizes), 2)).astype("float32"), np.arange(sum(sizes))
    function = making(student.make_batches, features, labels, size, int(rng.integers(1000)))
    dataset = exported.if_possible(dataset=(function, [()])).dataset()
    is_dataset, of_pairs, other = described(dataset)
    assert is_dataset, f"expected a tf.data.Dataset, but your code gave {other}"
    assert of_pairs, f"expected a pair (features, labels) as each element, but your dataset has {other}"
    for _ in range(3):
        batches = one_epoch(dataset, len(sizes) + 1)
        given = [len(x) for x, _ in batches]
        assert len(given) <= len(sizes), f"expected {len(sizes)} batches in an epoch, but yours goes on: does it end?"
        assert given == sizes, f"expected batches of {sizes}, but your dataset gives batches of {given}"
        x, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        assert_close(np.sort(y), labels, "These are the labels of one epoch, sorted.")
        assert_close(x, features[y], "These are the features of one epoch: does each label stay with its own?")


@in_worker
def curve(a, b):
    """Make the function sin(a x) + b x**3 of a tensor x."""

    def fn(x):
        return tf.sin(a * x) + b * x**3

    return fn


@in_worker
def stairs(slope):
    """Make a function that rounds, and that defines its own derivative."""

    @tf.autograph.experimental.do_not_convert
    @tf.custom_gradient
    def rounded(x):
        return tf.round(x), lambda upstream: slope * tf.stop_gradient(upstream)

    return rounded


@in_worker
def deriving(derivative, fn):
    """Return the derivative of fn as a function of x."""

    def slope(x):
        return derivative(fn, x)

    return slope


@points(0.5)
@proves("derivative", "reverse-mode", "derivative-shape")
@hint("A tape records what happens to a tensor that it watches. A number is no tensor yet.")
def test_first_derivative(student, exported, rng):
    """`derivative` is exact, for one number and for many, and uses a derivative that a function defines itself."""
    a, b, slope = rng.uniform(0.5, 2.0, size=3).tolist()
    arrays = [rng.uniform(-2, 2, size=size).astype("float32") for size in (6, (2, 1, 3))]
    cases = [(x,) for x in (*arrays, float(rng.uniform(-2, 2)))]
    bent, rounded = (deriving(student.derivative, fn) for fn in (curve(a, b), stairs(slope)))
    graphs = exported.if_possible(bent=(bent, cases), rounded=(rounded, cases))
    for (x,) in cases:
        expected = np.asarray(a * np.cos(a * np.float64(x)) + 3 * b * np.float64(x) ** 2, "float32")
        given = graphs.bent(x)
        assert_tensor(given, expected, f"That is the derivative of sin({a:.3f} x) + {b:.3f} x**3 at {x}.", atol=1e-5)
        advice = f"That function rounds, and tf.custom_gradient gives it the derivative {slope:.3f} in reverse mode."
        assert_tensor(graphs.rounded(x), np.full_like(expected, slope), advice)


@points(0.5)
@proves("two-variables", "affine")
@hint("Which attributes of a tf.Module count as trainable? A tensor or an array does not.")
def test_affine(student, exported, tf, rng):
    """Affine computes x @ kernel + bias for batches of any size, with two trainable variables."""
    kernel, bias = rng.normal(size=(3, 2)).astype("float32"), rng.normal(size=2).astype("float32")
    affine = student.Affine(kernel, bias)
    graph = exported.if_possible(affine=(affine, [tf.TensorSpec((None, 3), "float32")])).affine
    for size in rng.choice(np.arange(1, 20), 3, replace=False):
        x = rng.normal(size=(size, 3)).astype("float32")
        assert_tensor(graph(x), x @ kernel + bias, f"That is a batch of {size}.")
    assert isinstance(affine, tf.Module), f"expected a tf.Module, but your code gave {affine!r}"
    count = len(affine.trainable_variables)
    assert count == 2, f"expected 2 trainable variables, but your module has {count}"
    assert_close(affine.kernel, kernel, "That is the attribute kernel.")
    assert_close(affine.bias, bias, "That is the attribute bias.")


@points(1)
@proves("standardize", "equal-values")
@hint("Over which axis is the mean of a column? Is it exactly 0.1 if all values are 0.1? And what is 0 / 0?")
def test_standardize(exported, rng):
    """Each column gets mean 0 and standard deviation 1, and a column of equal values becomes exactly 0."""
    x = rng.normal(2.0, 3.0, size=(7, 4)).astype("float32")
    x[:, 1], x[:, 2] = rng.integers(1, 9), 0.1
    expected, others = np.zeros_like(x), x[:, [0, 3]]
    expected[:, [0, 3]] = (others - others.mean(axis=0)) / others.std(axis=0)
    advice = "Columns 1 and 2 hold equal values. The mean of seven times 0.1 is rounded, and not always 0.1."
    standardize = exported.if_possible(standardize=[(x,)]).standardize
    assert_close(standardize(x), expected, advice, rtol=1e-4, atol=1e-5)  # float32 sums
