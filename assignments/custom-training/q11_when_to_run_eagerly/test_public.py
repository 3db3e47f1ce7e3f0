import numpy as np

from gradetape.checks import assert_close, fill_weights, hint, in_worker, points, proves


@in_worker
def make_rule(worth):
    """Return a function that adds up what the words of a text are worth, and counts its runs."""

    def rule(text):
        rule.runs += 1
        return sum(worth.get(word, 0.0) for word in text.split())

    rule.runs = 0
    return rule


def draw(rng, count):
    """Draw texts, two of them equal, what each word in them is worth, and the score of each text."""
    words = ["wunderbar", "schön", "naja", "öde", "übel"]
    worth = dict(zip(words, rng.normal(size=5).round(2).tolist(), strict=True))
    worth |= {"wunderbar": 99.5, "übel": -99.5}
    mixed = [" ".join(rng.choice(words, size=rng.integers(1, 6))) for _ in range(count - 3)]
    texts = rng.permutation(["wunderbar", "übel", "übel", *mixed]).tolist()
    return texts, worth, np.array([[sum(worth[word] for word in text.split())] for text in texts])


@in_worker
def counting_model(step):
    """Return a linear model that adds `step` to its calls whenever its Python runs."""

    class Counting(keras.Model):
        def __init__(self):
            super().__init__()
            self.calls = 0
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            self.calls += step
            return self.dense(inputs)

    return Counting()


@points(1)
@proves("rule-text", "rule-calls", "rule-prediction")
@hint("texts.numpy() gives bytes, which .decode() turns into text. What is the shape of the scores?")
def test_rules_score_texts(student, tf, rng):
    """SentimentRules asks the rule about every text, and weighs its answer."""
    texts, worth, scores = draw(rng, int(rng.integers(4, 9)))
    rule = make_rule(worth)
    model = student.SentimentRules(rule)
    model(tf.constant(texts))
    kernel, bias = fill_weights(model, rng, (1, 1), (1,))
    before = rule.runs
    assert_close(model(tf.constant(texts)), scores @ kernel + bias, f"The first text was {texts[0]!r}.")
    runs = rule.runs - before
    assert runs == len(texts), f"expected {len(texts)} calls of the rule for {len(texts)} texts, but there were {runs}"


@points(1)
@proves("rule-calls", "rule-learns", "debug-eager", "debug-adam", "debug-returns")
@hint("`fit` decides when it is compiled whether to run eagerly. Which argument of `compile` says so?")
def test_debugging_runs_python(student, tf, rng):
    """After compile_for_debugging, `fit` runs the model's Python for every batch and takes steps of Adam."""
    texts, worth, scores = draw(rng, 6)
    rule, y = make_rule(worth), rng.normal(size=(6, 1)).astype("float32")
    model = student.SentimentRules(rule)
    model(tf.constant(texts))
    kernel, bias = fill_weights(model, rng, (1, 1), (1,))
    assert student.compile_for_debugging(model) is model, "expected compile_for_debugging to return the model"
    dataset = tf.data.Dataset.from_tensor_slices((texts, y)).batch(6)
    loss = model.fit(dataset, shuffle=False, verbose=0).history["loss"][0]
    assert_close(loss, ((scores @ kernel + bias - y) ** 2).mean(), "That is the loss of the first step.", rtol=1e-4)
    moved = np.abs(np.asarray(model(tf.constant([""]))) - bias)
    assert_close(moved, [[0.01]], "So far does the first step of Adam(0.01) move the bias.", rtol=0.01)
    before = rule.runs
    model.fit(dataset.repeat(3), shuffle=False, verbose=0)
    runs = rule.runs - before
    assert runs == 18, f"expected 18 calls of the rule for 3 batches of 6, but there were {runs}"


@points(1)
@proves("calls-growth", "calls-warm-up", "calls-result")
@hint("How often does a traced model's Python run after the first epoch? Read model.calls before and after one.")
def test_calls_per_epoch(student, tf, rng):
    """calls_per_epoch measures an epoch after the warm-up, eager and traced."""
    batches, step = rng.integers(2, 9, size=2).tolist()
    x = rng.normal(size=(4 * batches, 3)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(4)
    given = student.calls_per_epoch(counting_model(step), dataset)
    expected = {"eager": batches * step, "traced": 0}
    advice = f"There are {batches} batches, and each run of `call` adds {step}."
    assert given == expected, f"expected {expected}, but calls_per_epoch returned {given!r}. {advice}"
    assert all(isinstance(count, int | np.integer) for count in given.values()), f"expected integers, not {given!r}"


@in_worker
def make_model(activate):
    """Return a model that computes tanh of a Dense layer: with TensorFlow, or in Python in one of two ways."""

    class Tanh(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(4)

        def call(self, inputs):
            hidden = self.dense(inputs)
            if activate == "tf.tanh":
                return tf.tanh(hidden)
            if activate == ".numpy()":
                return tf.constant(np.tanh(hidden.numpy()))
            result = tf.py_function(lambda numbers: np.tanh(numbers.numpy()), [hidden], "float32")
            return tf.ensure_shape(result, hidden.shape)

    return Tanh()


@points(0.5)
@proves("portable-traced", "portable-ops", "portable-export")
@hint("Trace the model for any batch size: what raises, and which operations are in the graph? Then export it.")
def test_portable_or_not(student, tf, rng, worker_tmp_path):
    """A model of TensorFlow operations is portable and exported; one with Python in it is not portable."""
    x = rng.normal(size=(6, 3)).astype("float32")
    for number, activate in enumerate(rng.permutation(["tf.tanh", ".numpy()", "tf.py_function"]).tolist()):
        folder, portable = worker_tmp_path / f"model_{number}", activate == "tf.tanh"
        given = student.is_portable(make_model(activate), x, folder)
        assert given is portable, f"expected {portable} for a model with {activate}, but is_portable gave {given!r}"
        if portable:
            exported = tf.io.gfile.exists(str(folder / "saved_model.pb"))
            assert exported, "is_portable gave True, but there is no exported model in the folder"
