import numpy as np

from gradetape.checks import assert_close, fill_weights, hint, in_worker, points


@in_worker
def make_rule(worth):
    """Return a function that adds up what the words of a text are worth, and counts its runs."""

    def rule(text):
        rule.runs += 1
        return sum(worth.get(word, 0.0) for word in text.split())

    rule.runs = 0
    return rule


def draw(rng, count):
    """Draw texts, what each word in them is worth, and the score of each text."""
    words = ["wunderbar", "schön", "naja", "öde", "übel"]
    worth = dict(zip(words, rng.normal(size=5).round(2).tolist(), strict=True))
    texts = [" ".join(rng.choice(words, size=rng.integers(1, 6))) for _ in range(count)]
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
@hint("texts.numpy() gives bytes, which .decode() turns into text. What is the shape of the scores?")
def test_rules_score_texts(student, tf, rng):
    """SentimentRules asks the rule about every text, and weighs its answer."""
    texts, worth, scores = draw(rng, int(rng.integers(3, 8)))
    rule = make_rule(worth)
    model = student.SentimentRules(rule)
    model(tf.constant(texts))
    kernel, bias = fill_weights(model, rng, (1, 1), (1,))
    before = rule.runs
    assert_close(model(tf.constant(texts)), scores @ kernel + bias, f"The first text was {texts[0]!r}.")
    runs = rule.runs - before
    assert runs == len(texts), f"expected {len(texts)} calls of the rule for {len(texts)} texts, but there were {runs}"


@points(1)
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
