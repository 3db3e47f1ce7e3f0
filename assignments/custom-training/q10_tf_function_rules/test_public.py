import math

import numpy as np

from gradetape.checks import assert_close, assert_distributed, assert_each, hint, in_worker, points, proves


@points(1)
@proves("noise-normal", "noise-anew")
@hint("What draws the noise must run with every call. Where is the generator made, and where is it used?")
def test_noise_is_new(student, exported, tf, rng):
    """make_noisy's function adds standard normal noise, new with every call."""
    x, noisy = rng.normal(size=50_000).astype("float32"), student.make_noisy(int(rng.integers(1000)))
    assert_new_noise(noisy, x)
    graph = exported.if_possible(noisy=(noisy, [tf.TensorSpec((None,), "float32")])).noisy
    assert_new_noise(graph, x[:5000])


def assert_new_noise(noisy, x):
    """Show that a function adds standard normal noise to a vector, new with each of two calls."""
    noises = []
    for _ in range(2):
        given = noisy(x)
        assert_close(np.shape(given), x.shape, "That is the shape of noisy(x).")
        noises.append(np.asarray(given) - x)
    advice = "Is noisy(x) - x standard normal noise, another number for each number of x?"
    assert_distributed(noises, lambda z: (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2, advice)
    noise = np.concatenate(noises)
    correlations = np.abs(np.fft.irfft(np.abs(np.fft.rfft(noise)) ** 2) / len(noise))  # of the noise with itself
    again = correlations[1 : len(noise) // 2 + 1].max() > 8 / math.sqrt(len(noise))  # by chance once in 10**9 times
    assert not again, "expected new noise for each number and with every call, but some of it comes again"


def orbit(values, y):
    """Return the last y, in NumPy."""
    for v in values:
        y = v * y * (1 - y)
    return y


@in_worker
def ops_in_orbit(logistic_orbit, length):
    """Return the operations in a graph of logistic_orbit for a vector of that length."""

    def call(values, y):
        return logistic_orbit(values, y)

    graph = tf.function(call).get_concrete_function(tf.TensorSpec([length]), tf.TensorSpec([])).graph.as_graph_def()
    nodes = [*graph.node, *(inner for body in graph.library.function for inner in body.node_def)]
    return [node.op for node in nodes]


@points(1)
@proves("orbit-value", "orbit-loop", "orbit-size")
@hint("AutoGraph makes a loop of the graph's from `for v in values` and from tf.range. What does range() count with?")
def test_loop_in_the_graph(student, exported, tf, rng):
    """logistic_orbit is right, and its graph has a loop and the same size for every length."""
    for length in rng.choice(np.arange(2, 8), 2, replace=False).tolist():
        values, y = rng.uniform(2.8, 3, size=length).astype("float32"), np.float32(rng.uniform(0.1, 0.9))
        given = student.logistic_orbit(values, y)
        assert_close(given, orbit(values, y), f"That is logistic_orbit of {length} values.", rtol=1e-4)  # float32
    lengths = (None, 5, 50)
    assert_loops({length: ops_in_orbit(student.logistic_orbit, length) for length in lengths})
    specs = {f"of_{length}": [tf.TensorSpec([length]), tf.TensorSpec([])] for length in lengths}
    graphs = exported.if_possible(**{name: (student.logistic_orbit, each) for name, each in specs.items()})
    advice = f"That is a graph of logistic_orbit, for {len(values)} values."
    assert_close(graphs.of_None(values, y), orbit(values, y), advice, rtol=1e-4)
    assert_loops({length: ops_in_orbit(getattr(graphs, f"of_{length}"), length) for length in lengths})


def assert_loops(found):
    """Show that there is a loop in the graph for each length, and that the graph is no larger for 50 than for 5."""
    for length, ops in found.items():
        told = f"expected a While in the graph for a vector of {length or 'unknown'} length, but it has only {set(ops)}"
        assert {"While", "StatelessWhile"} & set(ops), told
    sizes = len(found[5]), len(found[50])
    assert sizes[1] <= sizes[0], f"the graph has {sizes[0]} operations for 5 values and {sizes[1]} for 50"


@in_worker
def in_a_graph(function, times):
    """Return a function that runs one graph, which applies a traced function so many times, for any length."""
    traced = tf.function(function)

    def repeated(x):
        for _ in range(times):
            x = traced(x)
        return x

    graph = tf.function(repeated, autograph=False).get_concrete_function(tf.TensorSpec((None,), "float32"))
    return lambda x: graph(tf.constant(x))


@in_worker
def calling_layer(layer, times):
    """Return two functions: one applies a layer so many times, one gives its calls."""

    def repeated(x):
        x = tf.convert_to_tensor(x)
        for _ in range(times):
            x = layer(x)
        return x

    def calls():
        return tf.convert_to_tensor(layer.calls)

    return repeated, calls


@in_worker
def is_variable(value):
    """Whether a value is a variable of TensorFlow or of Keras."""
    return isinstance(value, (tf.Variable, getattr(keras, "Variable", tf.Variable)))


@points(1)
@proves("double-outputs", "calls-counted", "calls-variable", "calls-start")
@hint("`self.calls += 1` runs while the layer is traced. What can the graph itself add to, and when is that made?")
def test_calls_are_counted(student, exported, tf, rng):
    """AuditedDouble counts every call: direct ones, and each of several in a graph whenever the graph runs."""
    layer, x = student.AuditedDouble(), rng.normal(size=(8, 4)).astype("float32")
    assert_close(layer.calls, 0, "That is `calls` before the first call.")
    direct, times, runs = rng.integers(2, 9, size=3).tolist()
    for _ in range(direct):
        assert_close(layer(x[0]), 2 * x[0])
    assert_close(layer.calls, direct, f"That is `calls` after {direct} direct calls.")
    assert is_variable(layer.calls), f"expected `calls` to be a variable, but it is {layer.calls!r}"
    graph = in_a_graph(layer, times)
    for vector in x[:runs]:
        assert_close(graph(vector), vector * 2**times)
    advice = f"That is `calls` after {direct} direct calls and {runs} runs of a graph with {times} calls in it."
    assert_close(layer.calls, direct + times * runs, advice)
    repeated, calls = calling_layer(student.AuditedDouble(), times)
    graphs = exported.if_possible(repeated=(repeated, [tf.TensorSpec((None,), "float32")]), calls=(calls, [()]))
    before = float(graphs.calls())
    for vector in x[:runs]:
        assert_close(graphs.repeated(vector), vector * 2**times)
    assert_close(float(graphs.calls()) - before, times * runs, f"So many calls count {runs} runs of a saved graph.")


@in_worker
def has_a_graph(function):
    """Whether a function is a tf.function, or is a wrapper of one."""
    code, names = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    used = [names[name] for name in code.co_names if name in names] if code else []
    held = [function, type(function).__call__, *cells, *used, *getattr(function, "__dict__", {}).values()]
    return any(hasattr(each, "get_concrete_function") for each in held)


@points(0.5)
@proves("total-function", "total-value", "total-own")
@hint("Make the variable before the function is traced, once for each function that is returned.")
def test_running_totals(student, exported, tf, rng):
    """Each total is a tf.function that adds up the sums of its vectors, and of no other's."""
    totals, sums = [student.make_total(), student.make_total()], np.zeros(2)
    for turn, which in enumerate((0, 1, 1, 0)):
        x = rng.normal(size=rng.integers(2, 9)).astype("float32")
        sums[which] += x.sum()
        advice = f"That is the total of call {turn + 1} of two functions, which were called in the order 1, 2, 2, 1."
        assert_close(totals[which](x), sums[which], advice, rtol=1e-4, atol=1e-5)  # float32, another order
    assert has_a_graph(totals[0]), "expected a tf.function, but make_total returned a function without one"
    graph, due = exported.if_possible(total=(student.make_total(), [tf.TensorSpec((None,), "float32")])).total, 0.0
    for size in rng.integers(2, 9, size=3).tolist():
        x = rng.normal(size=size).astype("float32")
        due += x.sum()
        assert_close(
            graph(x), due, "That is the total of a graph that was saved and loaded.", rtol=1e-4, atol=1e-5
        )  # as above


@in_worker
def runs_of(trace_once, calls):
    """Return the results of many calls, and what fn got in each run of its Python."""
    seen = []

    def fn(x, factor):
        seen.append(factor)
        return factor * x + 1

    function = trace_once(fn)
    return [function(tf.constant(x), factor) for x, factor in calls], [str(factor) for factor in seen]


@points(0.5)
@proves("traced-value", "traced-once")
@hint("Python numbers are part of a trace's key, tensors are not. An input_signature can say what to expect.")
def test_few_runs_of_python(student, rng):
    """trace_once computes fn(x, factor) for many numbers, and fn's Python runs at most twice."""
    factors = [*rng.integers(2, 99, size=3).tolist(), *rng.uniform(1, 99, size=3).tolist()]
    lengths = rng.permutation(np.arange(2, 8)).tolist()
    calls = [(rng.normal(size=size).astype("float32"), factor) for size, factor in zip(lengths, factors, strict=True)]
    results, seen = runs_of(student.trace_once, calls)
    for (x, factor), result in zip(calls, results, strict=True):
        assert_close(result, np.float32(factor) * x + 1, f"fn(x, factor) is factor * x + 1, factor is {factor!r}.")
    told = f"expected at most 2 runs of fn's Python in {len(calls)} calls, but it ran {len(seen)} times, with {seen}"
    assert len(seen) <= 2, told


@points(1)
@proves("limit-large", "limit-small", "limit-graph")
@hint("AutoGraph turns `if` on a tensor into a condition of the graph's. What does bool() ask for?")
def test_both_branches(student, exported, tf, rng):
    """One trace of limit_to_one serves vectors that are too large and vectors that are not."""
    large, small = rng.uniform(2, 9, size=5).astype("float32"), rng.uniform(-0.9, 0.9, size=7).astype("float32")
    large[rng.integers(5)] *= -2
    cases = {f"limit_to_one({x.round(2).tolist()})": (x,) for x in (large, small, -large)}
    graph = in_a_graph(student.limit_to_one, 1)
    assert_each(graph, cases, lambda x: x / max(1, np.abs(x).max()), "It runs in a graph.")
    assert_close(student.limit_to_one(large), large / np.abs(large).max(), "That is limit_to_one called directly.")
    graph = in_a_graph(exported.if_possible(limit_to_one=[tf.TensorSpec((None,), "float32")]).limit_to_one, 1)
    assert_each(graph, cases, lambda x: x / max(1, np.abs(x).max()), "It runs in a graph that was saved and loaded.")
