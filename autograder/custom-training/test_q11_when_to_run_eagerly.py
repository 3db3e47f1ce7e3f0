"""Hidden checks: training eagerly, and which models can leave their Python behind."""

import numpy as np

from gradetape.checks import assert_close, assert_learns, fill_weights, hint, in_worker, points, proves, raises
from gradetape.checks.corners import strings


@in_worker
def make_rule(kind):
    """Return a function that scores a text by its length and remembers the texts it got.

    The scores are integers, floats, or either: integers if they are positive.
    """

    def rule(text):
        rule.texts.append(text if isinstance(text, str) else repr(text))
        number = len(text) - 3.5
        return round(number) if kind == "integer" or (kind == "either" and number > 0) else number

    rule.texts = []
    return rule


def scores_of(kind, texts):
    """Return what the rule of a kind says about texts."""
    numbers = np.array([[len(text) - 3.5] for text in texts], dtype="float32")
    whole = (kind == "integer") | ((kind == "either") & (numbers > 0))
    return np.where(whole, np.round(numbers), numbers)


@points(0.5)
@proves("rule-text", "rule-calls", "rule-prediction", "rule-own", "rule-kwargs", "rule-eager")
@hint("What reaches the rule is the text as it is, whatever the batch: one text, equal ones, an empty one.")
def test_texts_of_all_kinds(student, tf, rng):
    """Several models score texts of all kinds, in batches of several sizes, each by its own rule, in `predict` too."""
    texts = rng.permutation([*strings().values(), "gut", "gut"]).tolist()
    kinds = rng.permutation(["integer", "either"]).tolist()
    rules = [make_rule(kind) for kind in kinds]
    models = [student.SentimentRules(rule, name=f"rules_of_{kind}") for kind, rule in zip(kinds, rules, strict=True)]
    weights = []
    for model, kind in zip(models, kinds, strict=True):
        assert model.name == f"rules_of_{kind}", f"expected the name rules_of_{kind}, but the model's is {model.name}"
        model(tf.constant(["to build it"]))
        weights.append(fill_weights(model, rng, (1, 1), (1,)))
    for batch in (texts, texts[:1], texts[-2:]):
        for model, kind, rule, (kernel, bias) in zip(models, kinds, rules, weights, strict=True):
            before = len(rule.texts)
            given = model(tf.constant(batch))
            assert_close(given, scores_of(kind, batch) @ kernel + bias, f"The texts are {batch}, scores: {kind}.")
            asked = list(rule.texts)[before:]
            assert sorted(asked) == sorted(batch), f"expected the rule to get {batch}, once each, but it got {asked}"
    before = len(rules[0].texts)
    model = student.compile_for_debugging(models[0])
    given = model.predict(tf.data.Dataset.from_tensor_slices(texts).batch(3), verbose=0)
    assert_close(given, scores_of(kinds[0], texts) @ weights[0][0] + weights[0][1], "That is `predict`.", rtol=1e-4)
    asked = len(rules[0].texts) - before
    assert asked == len(texts), f"expected {len(texts)} calls of the rule in `predict`, but there were {asked}"


@in_worker
def runs_after_a_graph(compile_for_debugging, x, y):
    """Return how often the Python of a model runs in an epoch, if it was trained in a graph before."""

    class Counting(keras.Model):
        def __init__(self):
            super().__init__()
            self.calls = 0
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            self.calls += 1
            return self.dense(inputs)

    model, dataset = Counting(), tf.data.Dataset.from_tensor_slices((x, y)).batch(5)
    model.compile(loss="mse", optimizer="sgd", jit_compile=False)
    model.fit(dataset, verbose=0)
    compile_for_debugging(model)
    model.fit(dataset, verbose=0)
    before = model.calls
    model.fit(dataset, verbose=0)
    return model.calls - before


@points(0.5)
@proves("rule-learns", "rule-eager", "debug-eager", "debug-again")
@hint("run_eagerly counts when the model is compiled. In legacy Keras, which argument says that a model must be eager?")
def test_debugging(student, keras, rng):
    """A debuggable model learns, and runs its Python even if it was trained in a graph before."""
    texts = np.array(["!" * count for count in rng.permutation(6)])
    y = (rng.normal() + 3 * scores_of("float", texts.tolist())).astype("float32")
    model = student.compile_for_debugging(student.SentimentRules(make_rule("float")))
    if not hasattr(keras, "ops"):
        model.compile(loss="mse", optimizer="adam")
    assert_learns(model, texts, y, steps=8)
    batches = int(rng.integers(2, 5))
    x = rng.normal(size=(5 * batches, 3)).astype("float32")
    runs = runs_after_a_graph(student.compile_for_debugging, x, x[:, :1])
    assert runs == batches, f"the model's Python ran {runs} times in {batches} batches"


@in_worker
def trained_for_debugging(compile_for_debugging, kernels, x, y, size):
    """Return functions that give each trained kernel, and whether functions of others run eagerly since."""

    def kernel_of(layer):
        return lambda: tf.convert_to_tensor(layer.kernel)

    found = []
    for kernel in kernels:
        dense = keras.layers.Dense(kernel.shape[1], use_bias=False)
        model = keras.Sequential([keras.Input((kernel.shape[0],)), dense])
        model.set_weights([kernel])
        model.compile(loss="mae", optimizer="sgd", jit_compile=False)
        model = compile_for_debugging(model)
        model.fit(tf.data.Dataset.from_tensor_slices((x, y)).batch(size), verbose=0, shuffle=False)
        found.append(kernel_of(dense))
    runs = []
    list(tf.data.Dataset.range(3).map(lambda element: runs.append(element) or element))
    return found, tf.config.functions_run_eagerly() or len(runs) > 1


def adam(kernel, x, y, size, rate=0.01, first=0.9, second=0.999):
    """Return the kernel of a linear model after an epoch of Adam on the mean squared error (Kingma and Ba, 2015)."""
    mean, square = np.zeros_like(kernel), np.zeros_like(kernel)
    for step, at in enumerate(range(0, len(x), size), start=1):
        rows = slice(at, at + size)
        slope = 2 * x[rows].T @ (x[rows] @ kernel - y[rows]) / y[rows].size
        mean, square = first * mean + (1 - first) * slope, second * square + (1 - second) * slope**2
        kernel = kernel - rate * (mean / (1 - first**step)) / (np.sqrt(square / (1 - second**step)) + 1e-7)
    return kernel


@points(0.5)
@proves("debug-adam", "debug-others")
@hint(
    "One optimizer serves one model. Which settings of `compile` are for this model, and which are for all functions?"
)
def test_several_models_take_steps_of_adam(student, exported, rng):
    """Several models in turn train with Adam as it is, of rate 0.01, and other functions run as before."""
    kernels = (5 * rng.normal(size=(2, 3, 2))).astype("float32")
    x, y = rng.normal(size=(22, 3)).astype("float32"), rng.normal(size=(22, 2)).astype("float32")
    found, eager = trained_for_debugging(student.compile_for_debugging, list(kernels), x, y, 4)
    graphs = exported.if_possible(**{f"kernel_{i}": (each, [()]) for i, each in enumerate(found, start=1)})
    for which, kernel in enumerate(kernels, start=1):
        given = getattr(graphs, f"kernel_{which}")()
        advice = f"These are the weights of model {which} of 2 after 6 steps of Adam."
        assert_close(given, adam(kernel, x, y, 4), advice, rtol=0, atol=1e-4)  # a hundredth of a step; float32
    assert eager is False, "functions of others run eagerly since a model was compiled for debugging"


@in_worker
def counting_model(kind, step, calls):
    """Return a linear model that adds `step` for each row: in training, or with Python that a graph runs as well."""

    class Counting(keras.Model):
        def __init__(self):
            super().__init__()
            self.calls = calls
            self.supports_jit = False
            self.dense = keras.layers.Dense(1)

        def count(self, inputs):
            self.calls += step * (inputs.shape[0] or 1)

        def call(self, inputs, training=False):
            if kind == "python":
                tf.py_function(self.count, [inputs], [])
            elif training:
                self.count(inputs)
            return self.dense(inputs)

    return Counting()


@in_worker
def batches_of(x, y, size):
    """Return a dataset that does not know how many batches it has."""
    return tf.data.Dataset.from_tensor_slices((x, y)).filter(lambda x, y: True).batch(size)


@points(0.5)
@proves("calls-loss", "calls-growth", "calls-warm-up")
@hint("Measure what grows in an epoch of `fit`, whatever the dataset and the model, eager and traced alike.")
def test_calls_are_measured(student, rng):
    """calls_per_epoch measures models that count in training only, or in the graph too, for any number of batches."""
    step, calls = rng.integers(2, 9, size=2).tolist()
    x = rng.normal(size=(int(rng.integers(2, 5)) * 4 + 1, 3)).astype("float32")
    for kind, rows, traced in (("training", x, 0), ("python", x[:3], 1)):
        model, y = counting_model(kind, step, calls), rows[:, :1] + 1
        given = student.calls_per_epoch(model, batches_of(rows, y, 4))
        expected = {"eager": step * len(rows), "traced": step * len(rows) * traced}
        assert given == expected, f"expected {expected} for a model that counts in {kind}, but it gave {given!r}"
        assert all(isinstance(each, int | np.integer) for each in given.values()), f"expected integers, not {given!r}"
    loss = model.evaluate(batches_of(rows, y, 4), verbose=0)
    assert_close(loss, ((np.asarray(model(rows)) - y) ** 2).mean(), "That is the loss in `evaluate`.", rtol=1e-4)


@in_worker
def make_model(kind):
    """Return a model that computes tanh of a Dense layer in one of several ways."""

    def portable(hidden):
        return tf.tanh(hidden)

    def mapped(hidden):
        _, columns = hidden.shape  # the rank is 2, and the name below is no type of operation
        return tf.ensure_shape(tf.map_fn(tf.tanh, hidden, name="PyFunc"), (None, columns))

    def eager(hidden):
        return tf.constant(np.tanh(hidden.numpy()))

    def array(hidden):
        return tf.constant(np.tanh(np.asarray(hidden)))

    def loop(hidden):
        return tf.stack([tf.tanh(hidden[row]) for row in range(hidden.shape[0])])

    def shape(hidden):
        return tf.tanh(tf.reshape(hidden, hidden.shape.as_list()))

    def python(hidden):
        result = tf.py_function(lambda numbers: np.tanh(numbers.numpy()), [hidden], "float32")
        return tf.ensure_shape(result, hidden.shape)

    def numpy(hidden):
        return tf.ensure_shape(tf.numpy_function(np.tanh, [hidden], "float32"), hidden.shape)

    def stateless(hidden):
        return tf.ensure_shape(tf.numpy_function(np.tanh, [hidden], "float32", stateful=False), hidden.shape)

    def nested(hidden):
        return tf.map_fn(python, hidden, fn_output_signature=tf.TensorSpec(hidden.shape[1:]))

    def branch(hidden):
        return tf.cond(tf.reduce_max(hidden) > 1e6, lambda: numpy(hidden), lambda: tf.tanh(hidden))

    def broken(hidden):
        return tf.tanh(hidden) + tf.zeros((1, 77))

    def picky(hidden):
        tf.debugging.assert_less(tf.reduce_max(tf.abs(hidden)), 1e4)
        return tf.tanh(hidden)

    class Tanh(keras.Model):
        def __init__(self, activate):
            super().__init__()
            self.dense = keras.layers.Dense(4)
            self.activate = activate

        def call(self, inputs):
            columns = [1.0 * inputs[..., column] for column in range(inputs.shape[-1])]  # all sizes but the batch's
            return self.activate(self.dense(tf.stack(columns, axis=-1)))

    kinds = [portable, mapped, eager, array, loop, shape, python, numpy, stateless, nested, branch]
    return Tanh({each.__name__: each for each in [*kinds, broken, picky]}[kind])


@in_worker
def as_string(is_portable, model, example, folder):
    """Return whether a model is portable; the folder is given as a string."""
    return is_portable(model, example, str(folder))


@in_worker
def serve(folder, x):
    """Return what an exported model answers."""
    model = tf.saved_model.load(str(folder))
    return model.serve(tf.constant(x)).numpy()


@points(0.5)
@proves("portable-export")
@hint("True means that model.export has written the folder, for any batch size. Which shapes can an example have?")
def test_portable_model_answers_elsewhere(student, clean, tf, rng, worker_tmp_path):
    """A portable model is exported, and answers where its class is unknown, for any rank, batch and folder."""
    for rank, size in ((2, 6), (3, 1)):
        shape, model = (size, 5, 3)[3 - rank :] if rank == 3 else (size, 3), make_model("portable")
        x = rng.normal(size=shape).astype("float32")
        model(x)
        kernel, bias = fill_weights(model, rng, (3, 4), (4,))
        place = worker_tmp_path / f"models/rank_{rank}"
        if rank == 3:
            tf.io.gfile.makedirs(str(place))
        given = student.is_portable(model, x, place) if rank == 2 else as_string(student.is_portable, model, x, place)
        assert given is True, f"expected True for a portable model and an example of shape {shape}, but got {given!r}"
        folder = clean.copy(place)
        for batch in (x, rng.normal(size=(2, *shape[1:])).astype("float32")):
            advice = f"The model was exported with an example of shape {shape}, and serves one of shape {batch.shape}."
            assert_close(clean.run(serve, folder, batch), np.tanh(batch @ kernel + bias), advice, rtol=1e-4)


@points(0.5)
@proves("portable-traced", "portable-ops", "portable-nested")
@hint("An export that does not raise proves little. Trace for any batch size, and look into every function body.")
def test_models_that_need_python(student, rng, worker_tmp_path):
    """A model that cannot be traced, or whose graph calls Python, is not portable."""
    x = rng.normal(size=(6, 3)).astype("float32")
    portable = ["portable", "mapped"]
    kinds = [*portable, "eager", "array", "loop", "shape", "python", "numpy", "stateless", "nested", "branch"]
    for number, kind in enumerate(rng.permutation(kinds).tolist()):
        given = student.is_portable(make_model(kind), x, worker_tmp_path / f"model_{number}")
        assert given is (kind in portable), f"a model of the kind {kind!r} is portable: {given!r}"


@points(0.5)
@proves("portable-example", "portable-folder")
@hint("Catch what tracing raises, and nothing else: a broken model or a bad folder is no answer.")
def test_errors_are_no_answers(student, tf, rng, worker_tmp_path):
    """A model that fails on the example raises, and so does a folder that cannot be written."""
    x = rng.normal(size=(6, 3)).astype("float32")
    tf.io.write_file(str(worker_tmp_path / "file"), "not a folder")
    cases = [("portable", "new"), ("picky", "newer"), ("portable", "file"), ("broken", "other"), ("picky", "last")]
    for kind, place in rng.permutation(cases).tolist():
        if place in ("new", "newer"):
            assert student.is_portable(make_model(kind), x, worker_tmp_path / place) is True
            continue
        example = np.concatenate([x, 1e6 * x[-1:]]) if kind == "picky" else x
        with raises(Exception, f"the model is {kind}, the folder {place}"):
            student.is_portable(make_model(kind), example, worker_tmp_path / place)
