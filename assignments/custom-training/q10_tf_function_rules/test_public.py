import math

import numpy as np

from gradetape.checks import assert_close, assert_distributed, assert_each, hint, in_worker, points, proves


@points(1)
@proves("noise-normal", "noise-anew")
@hint("What draws the noise must run with every call. Where is the generator made, and where is it used?")
def test_noise_is_new(student, exported, tf, rng):
    """make_noisy's function adds standard normal noise, new with every call."""
    x, noises = rng.normal(size=50_000).astype("float32"), []
    made = student.make_noisy(int(rng.integers(1000)))
    noisy = exported.if_possible(noisy=(made, [tf.TensorSpec((None,), "float32")])).noisy
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
def ops_in_orbit(orbit, length):
    """Return the operations in a graph of logistic_orbit for a vector of that length."""
    specs = tf.TensorSpec([length]), tf.TensorSpec([])
    graph = tf.function(orbit).get_concrete_function(*specs).graph.as_graph_def()
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
    specs = {length: [tf.TensorSpec([length]), tf.TensorSpec([])] for length in (None, 5, 50)}
    graphs = exported(**{f"of_{length}": (student.logistic_orbit, each) for length, each in specs.items()})
    given = graphs.of_None(values, y)
    assert_close(given, orbit(values, y), f"That is a graph of logistic_orbit, for {length} values.", rtol=1e-4)
    found = {length: ops_in_orbit(getattr(graphs, f"of_{length}"), length) for length in specs}
    for length, ops in found.items():
        told = f"expected a While in the graph for a vector of {length or 'unknown'} length, but it has only {set(ops)}"
        assert {"While", "StatelessWhile"} & set(ops), told
    sizes = len(found[5]), len(found[50])
    assert sizes[1] <= sizes[0], f"the graph has {sizes[0]} operations for 5 values and {sizes[1]} for 50"


@in_worker
def in_a_graph(layer, times):
    """Return a graph that applies a layer so many times, for any length, and a function that gives its calls."""
    traced = tf.function(layer)

    def repeated(x):
        for _ in range(times):
            x = traced(x)
        return x

    graph = tf.function(repeated, input_signature=[tf.TensorSpec((None,), "float32")], autograph=False)

    def calls():
        return tf.convert_to_tensor(layer.calls)

    return graph, calls


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
    graph, calls = in_a_graph(layer, times)
    graphs = exported.if_possible(graph=(graph, [tf.TensorSpec((None,), "float32")]), calls=(calls, [()]))
    for vector in x[:runs]:
        assert_close(graphs.graph(vector), vector * 2**times)
    advice = f"That is `calls` after {direct} direct calls and {runs} runs of a graph with {times} calls in it."
    assert_close(graphs.calls(), direct + times * runs, advice)


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
    first, second = ((total, [tf.TensorSpec((None,), "float32")]) for total in totals)
    graphs = exported.if_possible(first=first, second=second)
    for turn, which in enumerate((0, 1, 1, 0)):
        x = rng.normal(size=rng.integers(2, 9)).astype("float32")
        sums[which] += x.sum()
        advice = f"That is the total of call {turn + 1} of two functions, which were called in the order 1, 2, 2, 1."
        assert_close(
            (graphs.first, graphs.second)[which](x), sums[which], advice, rtol=1e-4, atol=1e-5
        )  # float32, another order
    assert has_a_graph(totals[0]), "expected a tf.function, but make_total returned a function without one"


@in_worker
def watched(trace_once, calls):
    """Return a function that makes many calls, a graph that makes as many, and what fn got when its Python ran."""
    seen = []

    def fn(x, factor):
        seen.append(str(factor))
        return factor * tf.square(x) + 1

    def called():
        return [function(tf.constant(x), factor) for x, factor in calls]

    def call(x):
        return [function(x, factor) for _, factor in calls]

    function = trace_once(fn)
    return called, tf.function(call, input_signature=[tf.TensorSpec((None,))]), seen


@in_worker
def squares_in(graph):
    """Return the number of squares in a graph and in all functions that it calls."""
    nodes = tf.function(graph).get_concrete_function(tf.TensorSpec((None,))).graph.as_graph_def()
    bodies = [nodes.node, *(each.node_def for each in nodes.library.function)]
    return sum(node.op == "Square" for body in bodies for node in body)


@points(0.5)
@proves("traced-value", "traced-once")
@hint("Python numbers are part of a trace's key, tensors are not. An input_signature can say what to expect.")
def test_few_runs_of_python(student, exported, tf, rng):
    """trace_once computes fn(x, factor) for many numbers, and fn's Python runs at most twice."""
    factors = [*rng.integers(2, 99, size=3).tolist(), *rng.uniform(1, 99, size=3).tolist()]
    lengths = rng.permutation(np.arange(2, 8)).tolist()
    calls = [(rng.normal(size=size).astype("float32"), factor) for size, factor in zip(lengths, factors, strict=True)]
    called, call, seen = watched(student.trace_once, calls)
    graph, vector = exported.if_possible(call=(call, [tf.TensorSpec((None,))])).call, calls[0][0]
    within = [(vector, factor) for factor in factors]
    for (x, factor), result in zip([*calls, *within], [*called(), *graph(vector)], strict=True):
        advice = f"fn(x, factor) is factor * x**2 + 1, factor is {factor!r}."
        assert_close(result, np.float32(factor) * x**2 + 1, advice)
    squares, seen = squares_in(graph), list(seen)
    assert squares <= 2, f"expected at most 2 traces of fn in a graph with {len(calls)} calls, but it has {squares}"
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
    graph = exported.if_possible(limit_to_one=[tf.TensorSpec((None,))]).limit_to_one
    assert_each(graph, cases, lambda x: x / max(1, np.abs(x).max()), "It runs in a graph.")
    assert_close(student.limit_to_one(large), large / np.abs(large).max(), "That is limit_to_one called directly.")
