"""Hidden checks: what the fixed functions do within other graphs, over many calls, and several at a time."""

import math

import numpy as np

from gradetape.checks import (
    assert_close,
    assert_distributed,
    assert_each,
    assert_tensor,
    hint,
    in_worker,
    points,
    proves,
)
from gradetape.checks.corners import floats, shapes


def assert_independent(noises, advice):
    """Assert that noise which comes in turn is not correlated with itself: by chance less than one time in 10**9.

    Each correlation of n independent numbers at a lag has a deviation of 1 / sqrt(n), there are n / 2 lags, and with
    n <= 200,000 none exceeds 8 deviations with a probability of more than 2e-10.
    """
    noise = np.concatenate(noises)
    correlations = np.fft.irfft(np.abs(np.fft.rfft(noise)) ** 2) / len(noise)
    worst = np.abs(correlations[1 : len(noise) // 2 + 1]).max()
    told = f"expected independent numbers, but some come again: a correlation of {worst:.2f}. {advice}"
    assert worst < 8 / math.sqrt(len(noise)), told


def normal_cdf(z):
    """The cumulative distribution function of the standard normal distribution."""
    return (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2


@in_worker
def noise_in_a_graph(noisy, x, runs):
    """Return what one graph gives that calls a function twice, and twice in a loop, and then a direct call."""

    def call(x):
        unknown = tf.TensorSpec(None, "float32")
        looped = tf.map_fn(lambda _: noisy(x), tf.range(2), fn_output_signature=unknown, parallel_iterations=1)
        return [noisy(x), noisy(x), looped[0], looped[1]]

    graph = tf.function(call).get_concrete_function(tf.TensorSpec((None,), "float32"))
    given = [result for _ in range(runs) for result in graph(tf.constant(x))]
    return [result.numpy() for result in [*given, noisy(tf.constant(x))]]


@in_worker
def counts_beyond(noisy, count, bounds):
    """Return how many of so many numbers of noise are beyond each bound, on either side."""
    noise = np.abs(np.asarray(noisy(tf.zeros([count]))))
    return [int((noise > bound).sum()) for bound in bounds]


def assert_tails(noisy, count):
    """Assert that standard normal noise has its tails; false alarms are less frequent than 10**-9 for each bound.

    The bound on the deviation of a binomial count is Bernstein's inequality.
    """
    bounds, alarm = (1, 2, 3, 4), math.log(2 / 1e-9)
    for bound, given in zip(bounds, counts_beyond(noisy, count, bounds), strict=True):
        share = math.erfc(bound / math.sqrt(2))
        most = alarm / 3 + math.sqrt(alarm**2 / 9 + 2 * alarm * count * share * (1 - share))
        told = f"expected about {count * share:.0f} of {count} numbers beyond {bound}, but there are {given}"
        assert abs(given - count * share) <= most, told


@points(0.5)
@proves("noise-normal", "noise-anew")
@hint(
    "A wrapper in Python draws only while another function is traced. Draw float32 numbers of any length in the graph."
)
def test_noise_within_another_graph(student, exported, tf, rng):
    """Within another graph, which calls noisy several times, the noise is normal and new with every call as well."""
    noisy = student.make_noisy(int(rng.integers(1000)))
    x = rng.normal(size=20_000).astype("float32")
    noises = [given - x for given in noise_in_a_graph(noisy, x, 2)]
    assert_distributed(noises, normal_cdf, "Is it standard normal noise?")
    assert_tails(noisy, 2_000_000)
    assert_independent(
        noises, "A graph calls noisy twice, and twice in a loop; it runs twice. Is each noise a new one?"
    )
    for size in (1, 0):
        x = rng.normal(size=size).astype("float32")
        for given in noise_in_a_graph(noisy, x, 1):
            told = f"expected shape {x.shape} and dtype float32, but noisy gave {given.shape} and {given.dtype}"
            assert (given.shape, given.dtype) == (x.shape, x.dtype), told
    x = rng.normal(size=5000).astype("float32")
    graph = exported.if_possible(noisy=(noisy, [tf.TensorSpec((None,), "float32")])).noisy
    noises = [given - x for given in noise_in_a_graph(graph, x, 1)]
    assert_distributed(noises, normal_cdf, "Is it standard normal noise?")
    assert_independent(noises, "A graph calls that of noisy twice, and twice in a loop. Is each noise a new one?")


@in_worker
def sequences(make_noisy, seeds, vectors):
    """Return what functions with these seeds give, called in turn, while other code draws and sets the seed.

    Then what other code draws after the global seed is set, without and with a noisy function in between.
    """
    functions = []
    for number, seed in enumerate(seeds):
        tf.random.set_seed(number)
        functions.append(make_noisy(seed))
    results = [[] for _ in seeds]
    for number, x in enumerate(vectors):
        for which, function in enumerate(functions):
            tf.random.set_seed(10 * number + which)
            tf.random.normal([which])
            results[which].append(function(tf.constant(x)).numpy())
    tf.random.set_seed(7)
    alone = tf.random.normal([3]).numpy()
    tf.random.set_seed(7)
    make_noisy(seeds[0])(tf.constant(vectors[0]))
    return results, alone, tf.random.normal([3]).numpy()


@in_worker
def on_tensors(function, vectors):
    """Return what a function gives for vectors, call after call."""
    return [function(tf.constant(x)).numpy() for x in vectors]


@points(0.5)
@proves("noise-seed", "noise-other-seeds")
@hint("What does the seed belong to? A sequence of each function's own: nobody else moves it, and it moves no other.")
def test_noise_follows_its_seed(student, exported, tf, rng):
    """The same seed gives the same sequence of noise, and another seed other noise, whatever else is drawn."""
    # far apart: the sequences of tf.random.Generator.from_seed(seed) and (seed + 1) overlap
    seed, another = int(rng.integers(10**8, 2 * 10**8)), int(rng.integers(10**9, 2 * 10**9))
    lengths = (3000, 1, 3000, 7, 0, 3000)
    vectors = [rng.normal(size=length).astype("float32") for length in lengths]
    seeds = (seed, 0, another, 0, seed)
    (first, zero, other, *again), alone, beside = sequences(student.make_noisy, seeds, vectors)
    for which, expected, given in ((0, zero, again[0]), (seed, first, again[1])):
        for call in range(len(lengths)):
            advice = f"That is what call {call + 1} gives of a second function made with the seed {which}."
            assert_close(given[call], expected[call], advice)
    pairs = [pair for sequence in (first, zero, other) for pair in zip(sequence, vectors, strict=True)]
    long = [given - x for given, x in pairs if len(x) == 3000]
    assert_independent(long, f"It is the noise of the seeds {seed}, 0 and {another}.")
    assert_close(beside, alone, "That is tf.random.normal after tf.random.set_seed, beside a noisy function.")
    made = {name: student.make_noisy(each) for name, each in (("one", seed), ("same", seed), ("other", another))}
    graphs = exported.if_possible(**{name: (each, [tf.TensorSpec((None,), "float32")]) for name, each in made.items()})
    one, same, other = (on_tensors(getattr(graphs, name), vectors[:3]) for name in made)
    for call, (expected, given) in enumerate(zip(one, same, strict=True), start=1):
        advice = f"That is what call {call} gives of the graph of a second function made with the seed {seed}."
        assert_close(given, expected, advice)
    long = [
        given - x for sequence in (one, other) for given, x in zip(sequence, vectors, strict=False) if len(x) == 3000
    ]
    assert_independent(long, f"It is the noise of graphs, with the seeds {seed} and {another}.")


def orbit(values, y):
    """Return the last y, computed in float64."""
    y = float(y)
    for v in values.tolist():
        y = v * y * (1 - y)
    return np.float32(y)


@in_worker
def graph_of_orbit(logistic_orbit, length):
    """Return a function that runs a graph for vectors of some length, or of any, and the graph's operations.

    The function may be a graph of its own: then the operations are those of that one.
    """

    def call(values, y):
        return logistic_orbit(values, y)

    graph = tf.function(call).get_concrete_function(tf.TensorSpec((length,)), tf.TensorSpec(()))
    nodes = graph.graph.as_graph_def()
    ops = [node.op for body in [nodes.node, *(each.node_def for each in nodes.library.function)] for node in body]
    return lambda values, y: graph(tf.constant(values), tf.constant(y)), ops


@in_worker
def called_directly(logistic_orbit):
    """Return a function that calls it directly, with tensors."""
    return lambda values, y: tf.identity(logistic_orbit(tf.constant(values), tf.constant(y)))


@points(0.5)
@proves("orbit-value", "orbit-empty")
@hint("Does every value count, once and in turn, and is y a float32 scalar at the end? What if there are no values?")
def test_orbit_at_the_corners(student, exported, tf, rng):
    """logistic_orbit is right for no value and for many, and for y and values of any size."""
    y = np.float32(rng.uniform(0.1, 0.9))
    cases = {
        "an empty vector": (rng.normal(size=0), y),
        "one value": (rng.uniform(2, 3, size=1), y),
        "values beyond 4": (rng.uniform(4, 6, size=3), y),
        "values of both signs": (rng.permutation([-1.5, -0.7, 1.2, 3.1]), y),
        "a value of 0": (np.array([3.1, 0.0, 2.5]), y),
        "y beyond 1": (rng.uniform(0.1, 0.4, size=4), np.float32(1.7)),
        "y of 0": (rng.uniform(2, 3, size=3), np.float32(0)),
        "1500 values": (rng.uniform(2, 3, size=1500), y),
    }
    cases = {name: (values.astype("float32"), start) for name, (values, start) in cases.items()}
    graph, _ = graph_of_orbit(student.logistic_orbit, None)
    for function, place in ((graph, "It runs in a graph."), (called_directly(student.logistic_orbit), "")):
        assert_each(function, cases, orbit, place, rtol=1e-4)  # float32, and each step passes the error on
    specs = [tf.TensorSpec((None,), "float32"), tf.TensorSpec((), "float32")]
    graph, _ = graph_of_orbit(exported.if_possible(logistic_orbit=specs).logistic_orbit, None)
    assert_each(graph, cases, orbit, "It runs in a graph that was saved and loaded.", rtol=1e-4)  # as above


@points(0.5)
@proves("orbit-loop", "orbit-size")
@hint("A Python loop over a known length makes as many operations. Let the graph loop, whatever it knows.")
def test_one_size_for_every_length(student, exported, tf, rng):
    """The graph of logistic_orbit loops for every length, known or not, and is no larger for more values."""
    lengths, scalar = (None, 5, 500), tf.TensorSpec((), "float32")
    assert_one_size(dict.fromkeys((*lengths, 12), student.logistic_orbit), rng)
    specs = {f"of_{length}": [tf.TensorSpec((length,), "float32"), scalar] for length in lengths}
    graphs = exported.if_possible(**{name: (student.logistic_orbit, each) for name, each in specs.items()})
    assert_one_size({length: getattr(graphs, f"of_{length}") for length in lengths}, rng)


def assert_one_size(functions, rng):
    """Show that a graph of a function for each length is right, loops, and is no larger than that for 5 values."""
    y, sizes = np.float32(rng.uniform(0.1, 0.9)), {}
    for length, function in functions.items():
        graph, ops = graph_of_orbit(function, length)
        values = rng.uniform(2.8, 3, size=length or 7).astype("float32")
        assert_each(graph, {f"a graph for {length or 'any'} values": (values, y)}, orbit, rtol=1e-4)  # as above
        assert {"While", "StatelessWhile"} & set(ops), f"expected a While in the graph for {length or 'any'} values"
        sizes[length] = len(ops)
    longer = max(size for length, size in sizes.items() if (length or 0) > 5)
    assert longer <= sizes[5], f"expected graphs of one size, but their operations are {sizes}"


@in_worker
def calls_in_loops(one, other, x, times):
    """Return the counts of two layers after a graph that calls one in a loop, the other twice, and of `predict`."""

    def call(x):
        looped = tf.map_fn(lambda _: one(x), tf.range(times), fn_output_signature=tf.float32, parallel_iterations=1)
        return other(other(looped[-1]))

    before = int(one.calls), int(other.calls)
    result = tf.function(call).get_concrete_function(tf.TensorSpec((None,)))(tf.constant(x))
    looped = int(one.calls), int(other.calls)
    model = keras.Sequential([keras.Input((1,)), one])
    unused = int(one.calls)
    model.predict(tf.data.Dataset.from_tensor_slices(x[:, tf.newaxis]).batch(2), verbose=0)
    return result, [before, looped], int(one.calls) - unused


@in_worker
def calling_layers(one, other):
    """Return two functions: one calls a layer in a loop and another one twice, one gives both counts."""

    def call(x):
        spec = tf.TensorSpec(None, "float32")
        x = tf.convert_to_tensor(x)
        looped = tf.map_fn(lambda _: one(x), tf.range(300), fn_output_signature=spec, parallel_iterations=1)
        return other(other(looped[-1]))

    def counts():
        return [tf.convert_to_tensor(layer.calls) for layer in (one, other)]

    return call, counts


@points(0.5)
@proves("double-outputs", "calls-counted", "calls-start", "calls-own")
@hint("Where is the variable made, and how far can it count? One of the class counts for all layers together.")
def test_layers_count_for_themselves(student, exported, tf, rng):
    """Several layers count their own calls, for inputs of all shapes, in a loop of a graph and in `predict`."""
    first, second = student.AuditedDouble(), student.AuditedDouble()
    cases = {name: (rng.normal(size=shape).astype("float32"),) for name, shape in shapes(range(1, 5)).items()}
    assert_each(first, cases, lambda x: 2 * x)
    advice = "These are the calls of two layers, of which only the first was called."
    assert_close([first.calls, second.calls], [len(cases), 0], advice)
    times, x = int(rng.integers(2100, 2900)), rng.normal(size=7).astype("float32")
    result, counted, predicted = calls_in_loops(first, second, x, times)
    assert_close(result, 8 * x)
    advice = f"These are the calls of two layers before and after a graph that calls them {times} times and twice."
    assert_close(counted, [(len(cases), 0), (len(cases) + times, 2)], advice)
    assert_close(predicted, 4, "That is how many calls `predict` adds for 4 batches.")
    assert_close(student.AuditedDouble().calls, 0, "That is `calls` of a new layer, when others were called before.")
    call, counts = calling_layers(student.AuditedDouble(), student.AuditedDouble())
    graphs = exported.if_possible(call=(call, [tf.TensorSpec((None,), "float32")]), counts=(counts, [()]))
    before = np.array([float(count) for count in graphs.counts()])
    for run, vector in enumerate((x, x[:2]), start=1):
        assert_close(graphs.call(vector), 8 * vector)
        added = np.array([float(count) for count in graphs.counts()]) - before
        advice = f"So much do two layers count in {run} runs of a graph that calls them 300 times and twice."
        assert_close(added, [300 * run, 2 * run], advice)


@in_worker
def totals_in_turn(make_total, vectors):
    """Return what totals give, call after call: in one graph with three calls, then directly, with one made later."""
    first, second = make_total(), make_total()

    def call(x):
        return [first(x), second(x), first(x)]

    graph = tf.function(call).get_concrete_function(tf.TensorSpec((None,), "float32"))
    given = [total for x in vectors for total in graph(tf.constant(x))]
    third = make_total()
    direct = [total(tf.constant(x)) for x in vectors for total in (third, second, first)]
    return [*given, *direct]


@in_worker
def calling_totals(make_total):
    """Return two functions with common totals: one calls two of them three times, one calls the first of them."""
    first, second = make_total(), make_total()

    def three(x):
        x = tf.convert_to_tensor(x)
        return [first(x), second(x), first(x)]

    return three, lambda x: first(tf.convert_to_tensor(x))


@points(0.5)
@proves("total-value", "total-own", "total-graph")
@hint("Which variable does the graph add to, and who else does? Each result is a float32 number of its own.")
def test_one_variable_for_each_total(student, exported, tf, rng):
    """Totals go on within another graph and outside, for all lengths, each with a variable of its own."""
    vectors = [rng.normal(size=size).astype("float32") for size in (3, 1, 0, 40)]
    given, sums, expected = totals_in_turn(student.make_total, vectors), np.zeros(3), []
    for order in ((0, 1, 0), (2, 1, 0)):
        for x in vectors:
            for which in order:
                sums[which] += x.sum()
                expected.append(sums[which])
    for call, (total, due) in enumerate(zip(given, expected, strict=True), start=1):
        place = f"within a graph, run {(call + 2) // 3}" if call <= 12 else "called directly, after that"
        advice = f"That is the total of call {call} of three functions ({place})."
        assert_tensor(total, np.float32(due), advice, rtol=1e-4, atol=1e-5)  # float32, added up in another order
    three, one = calling_totals(student.make_total)
    vector, sums = [tf.TensorSpec((None,), "float32")], np.zeros(2)
    graphs = exported.if_possible(three=(three, vector), one=(one, vector))
    for run, x in enumerate(vectors, start=1):
        sums += np.array([3, 1]) * x.sum()
        given = np.array([*graphs.three(x), graphs.one(x)])
        due = [sums[0] - 2 * x.sum(), sums[1], sums[0] - x.sum(), sums[0]]
        assert_close(given, due, f"Those are the totals 1, 2, 1 and 1 in run {run} of graphs.", rtol=1e-4, atol=1e-5)


@in_worker
def traces_of(trace_once, calls):
    """Return the results of two traced functions, called in turn, and what each saw whenever its Python ran.

    The last results are those of one graph, which calls both with each of the factors, for the last x.
    """

    def make(scale):
        def fn(x, factor):
            tensors = [tf.is_tensor(each) and f"{each.dtype.name} {each.shape.rank}" for each in (x, factor)]
            seen[scale].append([tf.executing_eagerly(), *tensors])
            if factor > 0:
                return scale * factor * x * x + factor
            else:
                return -scale * x

        return trace_once(fn)

    seen = {1.0: [], -2.0: []}
    functions = [make(scale) for scale in seen]
    results = [[function(x, factor) for function in functions] for x, factor in calls]
    tensors = [[function(tf.constant(x), factor) for function in functions] for x, factor in calls]

    def call(x):
        return [[function(x, factor) for function in functions] for _, factor in calls]

    within = tf.function(call).get_concrete_function(tf.TensorSpec((None,)))(tf.constant(calls[-1][0]))
    return [*results, *tensors, *within], list(seen.values())


@points(0.5)
@proves("traced-value", "traced-graph", "traced-factor", "traced-once")
@hint("An input_signature says what to expect. What you keep must belong to one fn, whose `if` AutoGraph converts.")
def test_one_trace_for_all_numbers(student, rng):
    """For several fn, all numbers and lengths, fn sees tensors in a graph, and its Python runs at most twice."""
    factors = [*rng.integers(1, 99, size=2).tolist(), *rng.uniform(1, 99, size=2).tolist()]
    factors += [0, -2.5, -7, 1e-3]
    lengths = [1, 0, *rng.integers(2, 9, size=6).tolist()]
    calls = [(rng.normal(size=size).astype("float32"), factor) for size, factor in zip(lengths, factors, strict=True)]
    results, seen = traces_of(student.trace_once, calls)
    graph = [(calls[-1][0], factor) for _, factor in calls]
    for (x, factor), given in zip([*calls, *calls, *graph], results, strict=True):
        for scale, result in zip((1, -2), given, strict=True):
            expected = scale * factor * x * x + factor if factor > 0 else -scale * x
            advice = f"x has {len(x)} numbers, factor is {factor!r}, and this is fn {scale} of two of the same name."
            assert_tensor(result, expected.astype("float32"), advice)
    for runs in seen:
        assert len(runs) <= 2, f"the Python of a fn ran {len(runs)} times in {len(results)} calls"
        for eager, vector, scalar in runs:
            assert not eager, "expected the Python of fn to run in a graph, but it ran eagerly"
            assert (vector, scalar) == ("float32 1", "float32 0"), f"fn got an x that is {vector}, and factor {scalar}"


@in_worker
def limits(limit_to_one):
    """Return a function that runs one graph for vectors of any length, and a direct one."""

    def call(x):
        return limit_to_one(x)

    graph = tf.function(call).get_concrete_function(tf.TensorSpec((None,), "float32"))
    return lambda x: graph(tf.constant(x)), lambda x: tf.identity(limit_to_one(tf.constant(x)))


@points(0.5)
@proves("limit-large", "limit-small", "limit-graph")
@hint("What is compared with 1? Look at vectors of one number, of zeros, and at those that just reach 1 or pass it.")
def test_limits_at_the_corners(student, exported, tf, rng):
    """limit_to_one is right for zeros, single numbers and values near 1, in one graph and called directly."""
    unit = rng.uniform(-0.9, 0.9, size=4)
    vectors = floats(rng) | {
        "one large number": rng.uniform(2, 9, size=1),
        "one small number": rng.uniform(-0.9, 0.9, size=1),
        "a largest value of -1": np.array([*unit, -1]),
        "a largest value of 1.001": np.array([1.001, *unit]),
        "a largest value of -1.001": np.array([-1.001, *unit]),
        "a largest value of 0.999": np.array([*unit, 0.999]),
        "many small numbers": rng.uniform(-0.9, 0.9, size=300),
    }
    cases = {name: (vector.astype("float32"),) for name, vector in vectors.items()}
    for function, place in zip(limits(student.limit_to_one), ("in a graph", "called directly"), strict=True):
        advice = f"It is {place}."
        assert_each(function, cases, lambda x: x / max(np.float32(1), np.abs(x).max()), advice, rtol=1e-6, atol=1e-12)
    graph, _ = limits(exported.if_possible(limit_to_one=[tf.TensorSpec((None,), "float32")]).limit_to_one)
    advice = "It is in a graph that was saved and loaded."
    assert_each(graph, cases, lambda x: x / max(np.float32(1), np.abs(x).max()), advice, rtol=1e-6, atol=1e-12)
