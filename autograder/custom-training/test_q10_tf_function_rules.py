"""Hidden checks: what the fixed functions do within other graphs, and over many calls."""

import numpy as np

from gradetape.checks import assert_close, hint, in_worker, points


def assert_noise(*noises):
    """Show that each is standard normal noise, and no two are alike."""
    for noise in noises:
        assert abs(noise.mean()) < 0.15 and abs(noise.std() - 1) < 0.15, "this is no standard normal noise"
    alike = np.corrcoef(noises) - np.eye(len(noises))
    assert np.abs(alike).max() < 0.15, "the same noise comes again"


@in_worker
def within_a_graph(function, x, calls):
    """Return what one traced function that calls another gives, call after call."""

    def call(x):
        return function(x)

    graph = tf.function(call).get_concrete_function(tf.TensorSpec((None,), "float32"))
    return [graph(tf.constant(x)).numpy() for _ in range(calls)]


@points(1)
@hint("A wrapper in Python draws only while another function is traced. Draw inside the graph.")
def test_noise_within_another_graph(student, rng):
    """Within another graph the noise is new with every call as well."""
    x, noisy = rng.normal(size=3000).astype("float32"), student.make_noisy(int(rng.integers(1000)))
    assert_noise(*(np.asarray(given) - x for given in within_a_graph(noisy, x, 3)))


@points(1)
@hint("What does the seed belong to? Each function that you return starts a sequence of its own.")
def test_noise_follows_its_seed(student, rng):
    """The same seed gives the same sequence of noise, and another seed another one."""
    x = rng.normal(size=3000).astype("float32")
    seed, other = rng.choice(10**6, size=2, replace=False).tolist()
    functions = [student.make_noisy(each) for each in (seed, seed, other)]
    first, again, different = ([np.asarray(noisy(x)) - x for _ in range(2)] for noisy in functions)
    assert_noise(*first, *different)
    assert_close(again, first)


@in_worker
def orbit_in_graphs(orbit, values, y):
    """Return what a graph for any length gives, and the sizes of the graphs for 5 values and for 500."""

    def call(values, y):
        return orbit(values, y)

    specs, scalar = [tf.TensorSpec((n,), "float32") for n in (5, 500, None)], tf.TensorSpec((), "float32")
    *fixed, any_length = [tf.function(call).get_concrete_function(spec, scalar) for spec in specs]
    definitions = [each.graph.as_graph_def() for each in fixed]
    sizes = [len(each.node) + sum(len(body.node_def) for body in each.library.function) for each in definitions]
    return [any_length(tf.constant(each), tf.constant(y)).numpy() for each in values], sizes


@points(1)
@hint("A Python loop over a known length makes as many operations. Let the graph loop, whatever it knows.")
def test_one_size_for_every_length(student, rng):
    """The graph of logistic_orbit takes any length, none included, and is no larger for a longer vector."""
    values, y = [rng.uniform(2, 3, size=n).astype("float32") for n in (0, 1, 300)], np.float32(rng.uniform(0.1, 0.9))
    expected = [float(y)] * 3
    for index, each in enumerate(values):
        for v in each.tolist():
            expected[index] = v * expected[index] * (1 - expected[index])
    given, sizes = orbit_in_graphs(student.logistic_orbit, values, y)
    assert_close(given, expected, rtol=1e-3)  # float32, and each step passes the error on
    assert sizes[0] == sizes[1], f"the graph has {sizes[0]} operations for 5 values and {sizes[1]} for 500"


@points(1)
@hint("Make the variable before the function is traced, once for each function that is returned.")
def test_one_variable_for_each_total(student, rng):
    """Each total has one variable, over all its calls and none of another's."""
    totals, sums = [student.make_total(), student.make_total()], np.zeros(2)
    for which in (0, 1, 1, 0, 1, 0):
        x = rng.normal(size=rng.integers(1, 9)).astype("float32")
        sums[which] += x.sum()
        assert_close(totals[which](x), sums[which], rtol=1e-4, atol=1e-5)  # float32, added up in another order
    within = within_a_graph(totals[0], x, 3)
    assert_close(within, sums[0] + x.sum() * np.arange(1, 4), rtol=1e-4, atol=1e-5)


@in_worker
def runs_of(trace_once, calls):
    """Return the results of many calls, and how often the Python of what they compute ran."""
    runs = []

    def polynomial(x, factor):
        runs.append(factor)
        return factor * x * x + factor

    function = trace_once(polynomial)
    return [function(tf.constant(x), factor).numpy() for x, factor in calls], len(runs)


@points(1)
@hint("Python numbers are part of a trace's key, tensors are not. An input_signature can say what to expect.")
def test_one_trace_for_all_numbers(student, rng):
    """However many numbers and lengths there are, the Python runs at most twice."""
    factors = [*rng.integers(1, 99, size=6).tolist(), *rng.uniform(1, 99, size=6).tolist()]
    calls = [(rng.normal(size=rng.integers(1, 9)).astype("float32"), factor) for factor in factors]
    results, runs = runs_of(student.trace_once, calls)
    for (x, factor), result in zip(calls, results, strict=True):
        assert_close(result, factor * x * x + factor)
    assert runs <= 2, f"the Python ran {runs} times in {len(calls)} calls"
