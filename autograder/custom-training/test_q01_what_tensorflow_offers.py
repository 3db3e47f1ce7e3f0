"""Hidden checks: pipelines, derivatives, graphs and operations, each where it is put to use."""

import numpy as np

from gradetape.checks import assert_close, assert_each, assert_tensor, hint, in_worker, points, proves


@in_worker
def making(make_batches, features, labels, size, seed):
    """Return a function without arguments that makes a dataset."""

    def dataset():
        return make_batches(features, labels, size, seed)

    return dataset


def datasets_of(exported, functions):
    """Return the datasets that these functions make, in another worker if that is possible."""
    graphs = exported.if_possible(**{f"dataset_{i}": (function, [()]) for i, function in enumerate(functions)})
    return [getattr(graphs, f"dataset_{i}")() for i in range(len(functions))]


@in_worker
def orders(datasets, epochs, limit):
    """Return, for each epoch, the labels of each dataset in their order; the datasets give their batches in turn."""
    found = []
    for _ in range(epochs):
        batches = zip(*(dataset.take(limit) for dataset in datasets), strict=True)
        labels = [[y.numpy() for _, y in batch] for batch in batches]
        found.append([np.concatenate(parts) for parts in zip(*labels, strict=True)])
    return found


@points(0.5)
@proves("new-orders", "same-seed", "other-seed")
@hint("Give `shuffle` the seed, whatever it is. Does it shuffle again for each epoch?")
def test_the_seed_decides_the_order(student, exported, rng):
    """The same seed gives the same orders, a new one each epoch; another seed gives others."""
    count, seed = int(rng.integers(150, 200)), int(rng.integers(1, 1_000_000_000))
    features, labels = rng.normal(size=(count, 1)).astype("float32"), np.arange(count)

    def eagerly(seeds):
        return [student.make_batches(features, labels, 64, each) for each in seeds]

    def in_graphs(seeds):
        # Two graphs without a seed give the same orders: seed 0 is tried where the student's code is.
        return datasets_of(exported, [making(student.make_batches, features, labels, 64, each) for each in seeds])

    for made, seeds in ((eagerly, (seed, seed, 0, 0, seed + 1, 2 * seed)), (in_graphs, (seed, seed, seed + 1))):
        datasets, first, seen = made(seeds), {}, set()
        for epoch, found in enumerate(orders(datasets, 3, -(-count // 64))):
            assert all(sorted(order.tolist()) == labels.tolist() for order in found), f"epoch {epoch} is not complete"
            for each, order in zip(seeds, found, strict=True):
                same = np.array_equal(first.setdefault((epoch, each), order), order)
                assert same, f"seed {each} gives two orders in epoch {epoch}"
            seen |= {tuple(order.tolist()) for order in found}
        assert len(seen) == len(first), f"3 epochs with each of the seeds {seeds} have {len(seen)} different orders"


@in_worker
def many_epochs(dataset, epochs):
    """Return the labels of many epochs, each of which is one batch."""
    return np.array([y.numpy() for _, y in dataset.repeat(epochs).take(epochs)])


@points(0.5)
@proves("all-orders")
@hint("`shuffle` draws from its buffer. How many examples must that hold, if any of them may come first?")
def test_all_orders_are_possible(student, exported, rng):
    """Few examples come in all of their orders equally often, and of many examples any may come first."""
    features, epochs = rng.normal(size=(3, 2)).astype("float32"), 6 * 40
    labels, seeds = rng.choice(1000, 3, replace=False), rng.integers(1000, size=2).tolist()
    count = int(rng.integers(110_000, 120_000))
    functions = [
        making(student.make_batches, features, labels, 3, seeds[0]),
        making(student.make_batches, np.zeros((count, 1), "float32"), np.arange(count), 2000, seeds[1]),
    ]
    dataset, many = datasets_of(exported, functions)
    few = many_epochs(dataset, epochs)
    assert np.array_equal(np.unique(few), np.sort(labels)), "other labels came"
    found, counts = np.unique(few, axis=0, return_counts=True)
    assert len(found) == 6, f"{len(found)} of 6 orders in {epochs} epochs"
    # Each count is binomial with mean 40: by Chernoff's bound all stay in 8..89 but with a probability below 1e-9.
    assert counts.min() >= 8, f"one order comes only {counts.min()} times in {epochs} epochs"
    assert counts.max() <= 89, f"one order comes {counts.max()} times in {epochs} epochs"
    first = orders([many], 1, 1)[0][0] / count
    # With a probability of 0.97**2000 = 4e-27 a right first batch has nothing from the last, or from the first, 3 %.
    assert first.max() > 0.97, f"the first batch of 2000 examples has none after {first.max():.0%} of {count}"
    assert first.min() < 0.03, f"the first batch of 2000 examples has none before {first.min():.0%} of {count}"


@in_worker
def epochs_of(datasets, limits):
    """Return, for each dataset, the batches of an epoch as arrays, but few enough not to wait for ever."""
    pairs = zip(datasets, limits, strict=True)
    return [[(x.numpy(), y.numpy()) for x, y in dataset.take(limit)] for dataset, limit in pairs]


@points(0.5)
@proves("any-arrays", "once-an-epoch", "remainder", "pairs")
@hint("Try one example, batches of one, fewer examples than a batch, none that remain, images, and large integers.")
def test_arrays_of_any_kind(student, exported, rng):
    """Arrays of any shape and dtype come in batches that keep both, whatever the number of examples."""
    images, weights = rng.integers(256, size=(7, 4, 3, 1)).astype("uint8"), rng.normal(size=(7, 2))
    cases = {
        "images and float64 labels of two numbers, in batches of 3": (images, weights, 3),
        "numbers and int64 labels beyond 2**53, in batches of 2": (weights[:, 0], 2**53 + np.arange(7), 2),
        "integers and labels that are texts, in batches of 4": (np.arange(7, dtype="int32"), images.astype("S"), 4),
        "fewer examples than a batch": (weights[:3], np.arange(3), 5),
        "as many examples as two batches": (weights[:6], np.arange(6), 3),
        "batches of one": (weights[:3], np.arange(3, dtype="int32"), 1),
        "one example": (weights[:1].astype("float16"), np.arange(1) == 0, 2),
    }
    seed = int(rng.integers(1000))
    functions = [making(student.make_batches, *case, seed) for case in cases.values()]
    given = epochs_of(datasets_of(exported, functions), [len(labels) + 1 for _, labels, _ in cases.values()])
    for (case, (features, labels, size)), batches in zip(cases.items(), given, strict=True):
        sizes = [min(size, len(labels) - start) for start in range(0, len(labels), size)]
        assert [(len(x), len(y)) for x, y in batches] == [(each, each) for each in sizes], case
        assert_examples(batches, features, labels, case)


def assert_examples(batches, features, labels, case):
    """Show that the examples of an epoch are those of the arrays, in any order."""
    for x, y in batches:
        assert (x.dtype, x.shape[1:]) == (features.dtype, features.shape[1:]), f"{case}: features {x.dtype} {x.shape}"
        assert y.shape[1:] == labels.shape[1:], f"{case}: labels of shape {y.shape}"
        assert y.dtype == (labels.dtype if labels.dtype.kind != "S" else object), f"{case}: labels {y.dtype}"
    given = [(x.tolist(), y.tolist()) for xs, ys in batches for x, y in zip(xs, ys, strict=True)]
    expected = [(x.tolist(), y.tolist()) for x, y in zip(features, labels, strict=True)]
    assert sorted(given, key=repr) == sorted(expected, key=repr), case


@in_worker
def with_its_surroundings(make_batches, features, labels, seed):
    """Return an epoch, the arrays after that, and draws by the global seeds, without `make_batches` and with it."""
    import random

    draws = []
    for make in (lambda *_: None, make_batches):
        tf.random.set_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        dataset = make(features, labels, 4, seed + 1)
        batches = [] if dataset is None else [(x.numpy(), y.numpy()) for x, y in dataset.take(len(labels))]
        drawn = [tf.random.uniform([], seed=5).numpy(), np.random.uniform(), random.random()]
        draws.append([float(number) for number in drawn])
    return batches, features, labels, draws


@points(0.5)
@proves("nothing-changed")
@hint("The caller goes on with the same arrays and the same global seeds. What does your function do to them?")
def test_make_batches_changes_nothing_else(student, rng):
    """The arrays and the global seeds are what they were before."""
    features, labels = rng.normal(size=(9, 2)).astype("float32"), rng.permutation(9)
    batches, x, y, (without, with_it) = with_its_surroundings(
        student.make_batches, features, labels, int(rng.integers(1000))
    )
    assert batches, "there are no batches"
    for some, numbers in batches:
        assert_close(some, features[np.argsort(labels)[numbers]], "These are the features of a batch.")
    assert np.array_equal(x, features), "the features were changed"
    assert np.array_equal(y, labels), "the labels were changed"
    for library, before, after in zip(("TensorFlow", "NumPy", "Python"), without, with_it, strict=True):
        assert before == after, f"{library} draws other numbers"


@in_worker
def loss_of_an_epoch(dataset, kernel, limit):
    """Return the loss that `fit` reports for a linear model that does not move; it takes at most `limit` batches."""
    model = keras.Sequential([keras.Input((len(kernel),)), keras.layers.Dense(1, use_bias=False)])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    model.set_weights([kernel])
    return model.fit(dataset.take(limit), verbose=0).history["loss"][0]


@points(0.5)
@proves("fit")
@hint("`fit` wants pairs of features and labels, and an epoch that ends. Is any example missing?")
def test_fit_takes_the_dataset(student, exported, rng):
    """`fit` takes the dataset as it is, and an epoch of it is the whole data."""
    size, full = rng.integers(4, 8, size=2).tolist()
    features = rng.normal(size=(size * full + 2, 3)).astype("float32")
    labels, kernel = rng.normal(size=(len(features), 1)).astype("float32"), rng.normal(size=(3, 1)).astype("float32")
    function = making(student.make_batches, features, labels, size, int(rng.integers(1000)))
    [dataset] = datasets_of(exported, [function])
    expected = ((features @ kernel - labels) ** 2).mean()
    assert_close(loss_of_an_epoch(dataset, kernel, full + 2), expected, rtol=1e-4)  # float32 sums, batch by batch


@in_worker
def derivatives(derivative, kind, times, a, b):
    """Make a function of x that gives the derivative, `times` times, of a function of that kind."""
    functions = {
        "bent": lambda z: tf.sin(a * z) + b * z**3,
        "straight": lambda z: a * z + b,
        "ones": lambda z: a * tf.ones_like(z),
        "a number": lambda z: tf.constant(a),
    }

    def applied(fn, left):
        return fn if left == 0 else applied(lambda z: derivative(fn, z), left - 1)

    return applied(functions[kind], times)


IN_A_GRAPH = "an array of shape (2, 1, 3)"


def points_of_all_kinds(tf, rng):
    """Draw x: Python floats, arrays and tensors of several shapes."""
    shapes = ((5,), (1,), (0,), (2, 1, 3), (1, 1), (2, 3, 1, 2))
    arrays = {shape: rng.uniform(-2, 2, size=shape).astype("float32") for shape in shapes}
    numbers = {"a Python float": float(rng.uniform(-2, 2)), "0.0": 0.0, "a tensor without axes": tf.constant(1.5)}
    cases = numbers | {f"an array of shape {shape}": x for shape, x in arrays.items()}
    cases |= {f"a tensor of shape {shape}": tf.constant(arrays[shape]) for shape in shapes[:4]}
    return {case: (x,) for case, x in cases.items()}


@points(0.5)
@proves("second-derivative", "derivative-shape")
@hint("For a second derivative the first one must stay a computation on tensors, of whatever shape.")
def test_second_derivative(student, exported, tf, rng):
    """Applied once or twice, `derivative` gives the first or second derivative, for x of any kind and shape."""
    a, b = rng.uniform(0.5, 2.0, size=2).tolist()
    cases = points_of_all_kinds(tf, rng)

    def first(x):
        return (a * np.cos(a * np.asarray(x)) + 3 * b * np.asarray(x) ** 2).astype("float32")

    def second(x):
        return (-(a**2) * np.sin(a * np.asarray(x)) + 6 * b * np.asarray(x)).astype("float32")

    some = {case: cases[case] for case in list(cases)[::2]}  # forward mode, twice, takes half a second for each
    in_graphs = {IN_A_GRAPH: cases[IN_A_GRAPH]}
    functions = {f"times_{times}": derivatives(student.derivative, "bent", times, a, b) for times in (1, 2)}
    graphs = exported.if_possible(**{name: (each, list(in_graphs.values())) for name, each in functions.items()})
    for times, which, expected in ((1, cases, first), (2, some, second)):
        name, advice = f"times_{times}", f"That is derivative {times}."
        for given, inputs in ((getattr(graphs, name), in_graphs), (functions[name], which)):
            assert_each(given, inputs, expected, advice, atol=1e-5)  # terms that may cancel


@points(0.5)
@proves("derivative-of-a-constant", "derivative-shape")
@hint("A tape gives None where nothing depends on x. See `unconnected_gradients`.")
def test_derivative_of_a_constant(student, exported, tf, rng):
    """The derivative of a constant is 0, and so is the second derivative of a straight line."""
    a, b = rng.uniform(0.5, 2.0, size=2).tolist()
    cases = points_of_all_kinds(tf, rng)
    in_graphs = {IN_A_GRAPH: cases[IN_A_GRAPH]}
    kinds = (("straight", 1), ("straight", 2), ("a number", 1), ("ones", 1), ("ones", 2))
    functions = [derivatives(student.derivative, *each, a, b) for each in kinds]
    wanted = {f"function_{i}": (function, list(in_graphs.values())) for i, function in enumerate(functions[:3])}
    graphs = exported.if_possible(**wanted)
    given = [*((getattr(graphs, name), in_graphs) for name in wanted), *((each, cases) for each in functions)]
    for (kind, times), (function, inputs) in zip([*kinds[:3], *kinds], given, strict=True):
        slope = a if (kind, times) == ("straight", 1) else 0
        advice = f"That is derivative {times} of the function {kind}."
        assert_each(function, inputs, lambda x, slope=slope: np.full(np.shape(x), slope, "float32"), advice)


@in_worker
def computing(affine):
    """Return two functions: what a module gives, with the gradients of its sum, and one that sets its variables."""

    def computed(x):
        with tf.GradientTape() as tape:
            result = affine(x)
            total = tf.reduce_sum(result)
        return result, tape.gradient(total, [affine.kernel, affine.bias])

    def assigned(kernel, bias):
        affine.kernel.assign(kernel)
        affine.bias.assign(bias)

    return computed, assigned


@points(0.5)
@proves("module", "affine", "two-variables")
@hint("Does each module compute with its own variables, and with the values that they have when it is called?")
def test_two_modules_that_change(student, exported, tf, rng):
    """Each Affine computes with its own variables and their newest values, and gradients reach both."""
    sizes = ((3, 2), (1, 4), (4, 1))
    made = [[rng.normal(size=shape).astype("float32") for shape in (size, size[1:])] for size in sizes]
    modules, functions = [student.Affine(kernel.copy(), bias.copy()) for kernel, bias in made], {}
    for i, (module, (kernel, bias)) in enumerate(zip(modules, made, strict=True)):
        assert_tensor(module(kernel.T), kernel.T @ kernel + bias, f"That is module {i} of {len(modules)}.")
        computed, assigned = computing(module)
        functions[f"computed_{i}"] = computed, [tf.TensorSpec((None, len(kernel)), "float32")]
        functions[f"assigned_{i}"] = assigned, [(kernel, bias)]
    graphs = exported.if_possible(**functions)
    for _ in range(2):
        for i, (kernel, bias) in enumerate(made):
            for rows in (1, 5, 0, 2):
                x = rng.normal(size=(rows, len(kernel))).astype("float32")
                result, gradients = getattr(graphs, f"computed_{i}")(x)
                assert_tensor(result, x @ kernel + bias, f"That is a batch of {rows}, kernel {kernel.shape}.")
            assert not any(gradient is None for gradient in gradients), "no gradient reaches the variables"
            assert_close(gradients[0], x.sum(axis=0)[:, np.newaxis] + np.zeros_like(kernel))
            assert_close(gradients[1], np.full_like(bias, len(x)))
            kernel += rng.normal(size=kernel.shape).astype("float32")
            bias += rng.normal(size=bias.shape).astype("float32")
            getattr(graphs, f"assigned_{i}")(kernel, bias)
    assert all(isinstance(module.name, str) for module in modules), "a tf.Module gets its name from super().__init__()"


@in_worker
def reads_of_each_call(affine_class, kernel, bias, batches):
    """Return what a module gives, and how often each call reads its variables: while it is traced, and otherwise."""
    traced, eager = [], []

    class Watched(affine_class):
        def __getattribute__(self, name):
            if name in ("kernel", "bias"):
                (eager if tf.executing_eagerly() else traced).append(name)
            return super().__getattribute__(name)

    affine, results, counts = Watched(kernel, bias), [], []
    for x in batches:
        before = len(traced), len(eager)
        results.append(affine(tf.constant(x)))
        counts.append((len(traced) - before[0], len(eager) - before[1]))
    return results, counts, len(traced)


@in_worker
def calling(affine, sizes):
    """Return a function that gives a module its input's first rows, in batches of several sizes."""
    return lambda x: [affine(x[:size]) for size in sizes]


@in_worker
def reads_in(graph, x):
    """Return how many reads of variables are in a graph and in all functions that it calls."""
    nodes = tf.function(graph).get_concrete_function(tf.constant(x)).graph.as_graph_def()
    bodies = [nodes.node, *(each.node_def for each in nodes.library.function)]
    return sum(node.op == "ReadVariableOp" for body in bodies for node in body)


@points(0.5)
@proves("signature")
@hint("A tf.function without a signature is traced for each new shape. Which size is None in yours?")
def test_a_new_batch_size_needs_no_new_trace(student, exported, rng):
    """`affine(x)` is a tf.function that is not traced again for a new batch size."""
    kernel, bias = rng.normal(size=(3, 2)).astype("float32"), rng.normal(size=2).astype("float32")
    batches = [rng.normal(size=(size, 3)).astype("float32") for size in (7, *rng.permutation(np.arange(1, 7)))]
    given, reads, traced = reads_of_each_call(student.Affine, kernel, bias, batches)
    for x, result in zip(batches, given, strict=True):
        assert_tensor(result, x @ kernel + bias, f"That is a batch of {len(x)}.")
    # Two traces are allowed: with `reduce_retracing` the second one leaves the batch size open.
    assert not any(while_traced for while_traced, _ in reads[2:]), f"traced again: {reads}"
    assert traced or not any(eagerly for _, eagerly in reads), "the Python code of __call__ runs with each call"
    sizes = {"few": [2, 3], "many": [2, 3, 4, 5, 6, 7, 1]}
    functions = {name: calling(student.Affine(kernel, bias), each) for name, each in sizes.items()}
    graphs, x = exported.if_possible(**{name: (each, [(batches[0],)]) for name, each in functions.items()}), batches[0]
    for size, result in zip(sizes["many"], graphs.many(x), strict=True):
        assert_tensor(result, x[:size] @ kernel + bias, f"That is a batch of {size}, in a graph.")
    few, many = reads_in(graphs.few, x), reads_in(graphs.many, x)
    assert many <= few, f"a graph with {len(sizes['many'])} batch sizes holds more traces than one with two"


@in_worker
def answers(folder, batches):
    """Return what an exported module answers to each batch."""
    loaded = tf.saved_model.load(str(folder))
    return [loaded(tf.constant(x)).numpy() for x in batches]


@points(0.5)
@proves("export", "export-folder", "export-elsewhere")
@hint("A SavedModel takes along the traces of tf.functions. Which trace is there before anything was computed?")
def test_exported_affine_answers_elsewhere(student, clean, rng, worker_tmp_path):
    """Exported, Affine answers in a process without its code, with its newest values, for every batch size."""
    kernels, biases = rng.normal(size=(2, 4, 2)).astype("float32"), rng.normal(size=(2, 2)).astype("float32")
    sizes = [1, 0, *rng.choice(np.arange(2, 20), 2, replace=False)]
    batches = [rng.normal(size=(size, 4)).astype("float32") for size in sizes]
    affine = student.Affine(kernels[0], biases[0])
    affine.export(str(worker_tmp_path / "first"))
    assert_close(affine(batches[0]), batches[0] @ kernels[0] + biases[0])
    affine.kernel.assign(kernels[1])
    affine.bias.assign(biases[1])
    affine.export(worker_tmp_path / "second")
    for name, kernel, bias in zip(("first", "second"), kernels, biases, strict=True):
        folder = clean.copy(worker_tmp_path / name)
        for x, given in zip(batches, clean.run(answers, folder, batches), strict=True):
            assert_close(given, x @ kernel + bias, f"That is a batch of {len(x)}, in the {name} folder.")


@in_worker
def standardized(standardize, cases):
    """Return what `standardize` gives for arrays and for tensors."""
    return [[standardize(x), standardize(tf.constant(x))] for x in cases]


def columns_of_unit_deviation(x):
    """Return the columns of x with mean 0 and standard deviation 1, or all 0, in float64."""
    exact, equal = x.astype("float64"), (x == x[:1]).all(axis=0)
    return np.where(equal, 0.0, (exact - exact.mean(axis=0)) / np.where(equal, 1.0, exact.std(axis=0)))


@points(0.5)
@proves("any-scale", "equal-values", "standardize")
@hint("What does your code add to a deviation, or compare it with, and how large is that beside 1e-6?")
def test_columns_of_any_scale(student, exported, rng):
    """Columns of tiny, huge and equal numbers are standardized, in one row and in many."""
    x = rng.normal(size=(7, 5)).astype("float32")
    # Eight such integers have a sum, and a mean, that float32 holds exactly; but whoever scales first loses a digit.
    close = 1_000_000 + 2 * np.stack([rng.permutation(np.arange(8) % 3) for _ in range(3)], axis=1)
    equal = np.repeat([[0.1, -0.3, 1e-6 / 3, 1e6 / 3, 0.0, 7.0]], 7, axis=0).astype("float32")
    cases = {
        "ordinary numbers": x,
        "one column": x[:, :1],
        "two rows": x[:2],
        "one row": x[:1] * np.float32(1e5),
        "tiny, huge and ordinary numbers": x * np.array([1e-6, 1e6, 1, 1e-5, 1e5], "float32"),
        "equal numbers": equal,
        "equal numbers, many rows": np.repeat(equal, 37, axis=0),
        "equal numbers beside others": np.concatenate([x, equal], axis=1),
        "numbers around 10,000": 10_000 + x,
        "1,000,000, 1,000,002 and 1,000,004": close.astype("float32"),
    }
    rough = {"numbers around 10,000": 2e-2, "1,000,000, 1,000,002 and 1,000,004": 0.1}
    graph = exported.if_possible(standardize=[(values,) for values in cases.values()]).standardize
    given = standardized(student.standardize, list(cases.values()))
    for (case, values), results in zip(cases.items(), given, strict=True):
        results = [graph(values), *results]
        expected, still = columns_of_unit_deviation(values), (values == values[:1]).all(axis=0)
        for result in results:
            # float32 sums; their rounding errors of numbers around 10,000 are up to 4e-3
            assert_tensor(result, expected.astype("float32"), case, rtol=1e-4, atol=rough.get(case, 1e-4))
            assert not np.asarray(result)[:, still].any(), f"{case}: a column of equal values is not exactly 0"


@in_worker
def through_symbolic_tensors(standardize, shapes):
    """Call `standardize` on symbolic tensors of Keras 3 of these shapes; return models of that computation."""
    import importlib

    keras_3 = importlib.import_module("keras")
    symbolic = [keras_3.Input(batch_shape=shape) for shape in shapes]
    return [keras_3.Model(each, standardize(each)) for each in symbolic]


@in_worker
def is_recorded(standardize, x):
    """Return whether a tape sees what `standardize` does to a tensor: it sees operations, and not NumPy's functions."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = standardize(x)
    return tape.gradient(total, x) is not None


@points(0.5)
@proves("keras-operations", "symbolic")
@hint("A symbolic tensor has no numbers: TensorFlow and NumPy refuse it, and `==` asks whether it is the same object.")
def test_standardize_is_independent_of_the_backend(student, exported, rng):
    """`standardize` runs on a symbolic tensor, which only Keras's own operations take."""
    x = rng.normal(2.0, 3.0, size=(7, 4)).astype("float32")
    x[:, 1], x[:, 2] = 0.1, rng.integers(1, 9)
    cases = [x, x[:1], x[:, :1]]
    models = through_symbolic_tensors(student.standardize, [each.shape for each in cases])
    functions = {f"model_{i}": (model, [(each,)]) for i, (model, each) in enumerate(zip(models, cases, strict=True))}
    graphs = exported.if_possible(**functions)
    for i, each in enumerate(cases):
        given = getattr(graphs, f"model_{i}")(each)
        expected = columns_of_unit_deviation(each)
        assert_close(student.standardize(each), expected, rtol=1e-4, atol=1e-5)  # float32 sums
        assert_close(given, expected, f"Through a symbolic tensor of shape {each.shape}.", rtol=1e-4, atol=1e-5)
    assert is_recorded(student.standardize, x), "its operations are not those of Keras"
