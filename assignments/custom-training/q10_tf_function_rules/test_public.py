import numpy as np

from gradetape.checks import assert_close, hint, in_worker, ops_in, points


@points(1)
@hint("What draws the noise must be an operation. Where is the generator made, and where is it used?")
def test_noise_is_new(student, rng):
    """make_noisy's function adds new noise with every call."""
    x, noisy = rng.normal(size=3000).astype("float32"), student.make_noisy(int(rng.integers(1000)))
    first, second = np.asarray(noisy(x)) - x, np.asarray(noisy(x)) - x
    for noise in (first, second):
        told = f"expected standard normal noise, but its mean is {noise.mean():.2f}, its deviation {noise.std():.2f}"
        assert abs(noise.mean()) < 0.15 and abs(noise.std() - 1) < 0.15, told
    assert abs((first * second).mean()) < 0.15, "expected new noise with every call, but it is the same again"


def orbit(values, y):
    """Return the last y, in NumPy."""
    for v in values:
        y = v * y * (1 - y)
    return y


@points(1)
@hint("AutoGraph makes a loop of the graph's from `for v in values` or tf.range. range and len are Python's.")
def test_loop_in_the_graph(student, tf, rng):
    """logistic_orbit is right, and its graph has a loop."""
    for length in rng.choice(np.arange(2, 12), 2, replace=False).tolist():
        values, y = rng.uniform(2, 3, size=length).astype("float32"), np.float32(rng.uniform(0.1, 0.9))
        given = student.logistic_orbit(values, y)
        assert_close(given, orbit(values, y), f"That is logistic_orbit of {length} values.", rtol=1e-4)  # float32
    found = ops_in(student.logistic_orbit, tf.TensorSpec([None], "float32"), tf.TensorSpec([], "float32"))
    assert {"While", "StatelessWhile"} & set(found), f"expected a While in the graph, but it has only {found}"


@in_worker
def in_a_graph(function, batches, times):
    """Return what one traced function, which applies another so many times, gives for each batch."""
    traced = tf.function(function)

    def repeated(x):
        for _ in range(times):
            x = traced(x)
        return x

    graph = tf.function(repeated, autograph=False).get_concrete_function(tf.TensorSpec((None,), "float32"))
    return [graph(tf.constant(x)).numpy() for x in batches]


@points(1)
@hint("`self.calls += 1` runs while the layer is traced. What can the graph itself add to?")
def test_calls_are_counted(student, rng):
    """AuditedDouble counts every call: direct ones, and each of several in a graph whenever the graph runs."""
    layer, x = student.AuditedDouble(), rng.normal(size=(8, 4)).astype("float32")
    direct, times, runs = rng.integers(2, 9, size=3).tolist()
    for _ in range(direct):
        assert_close(layer(x[0]), 2 * x[0])
    assert_close(layer.calls, direct, f"That is `calls` after {direct} direct calls.")
    assert_close(in_a_graph(layer, list(x[:runs]), times), x[:runs] * 2**times)
    advice = f"That is `calls` after {direct} direct calls and {runs} runs of a graph with {times} calls in it."
    assert_close(layer.calls, direct + times * runs, advice)


@points(1)
@hint("AutoGraph turns `if` on a tensor into a condition of the graph's. What does bool() ask for?")
def test_both_branches(student, rng):
    """One trace of limit_to_one serves vectors that are too large and vectors that are not."""
    large, small = rng.uniform(2, 9, size=5).astype("float32"), rng.uniform(-0.9, 0.9, size=7).astype("float32")
    large[rng.integers(5)] *= -2
    given = in_a_graph(student.limit_to_one, [large, small, -large], 1)
    assert_close(given[0], large / np.abs(large).max(), f"That is limit_to_one({large.round(2)}).")
    assert_close(given[1], small, f"That is limit_to_one({small.round(2)}).")
    assert_close(given[2], -large / np.abs(large).max(), f"That is limit_to_one({-large.round(2)}).")
    assert_close(student.limit_to_one(large), given[0], "That is limit_to_one called directly.")
