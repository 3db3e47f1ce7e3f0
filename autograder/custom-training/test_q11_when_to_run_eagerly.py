"""Hidden checks: training eagerly, and which models can leave their Python behind."""

import numpy as np

from gradetape.checks import assert_close, assert_learns, fill_weights, hint, in_worker, points, raises


@in_worker
def make_rule():
    """Return a function that counts exclamation marks."""
    return lambda text: text.count("!")


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


@points(1)
@hint("run_eagerly counts when the model is compiled. In legacy Keras, which argument says that a model must be eager?")
def test_debugging(student, keras, rng):
    """A debuggable model learns, and runs its Python even if it was trained in a graph before."""
    counts = rng.permutation(6)
    texts, y = np.array(["!" * count for count in counts]), (rng.normal() + 3 * counts).reshape(-1, 1).astype("float32")
    model = student.compile_for_debugging(student.SentimentRules(make_rule()))
    if not hasattr(keras, "ops"):
        model.compile(loss="mse", optimizer="adam")
    assert_learns(model, texts, y, steps=8)
    batches = int(rng.integers(2, 5))
    x = rng.normal(size=(5 * batches, 3)).astype("float32")
    runs = runs_after_a_graph(student.compile_for_debugging, x, x[:, :1])
    assert runs == batches, f"the model's Python ran {runs} times in {batches} batches"


@in_worker
def make_model(kind):
    """Return a model that computes tanh of a Dense layer in one of several ways."""

    def portable(hidden):
        return tf.tanh(hidden)

    def eager(hidden):
        return tf.constant(np.tanh(hidden.numpy()))

    def loop(hidden):
        return tf.stack([tf.tanh(hidden[row]) for row in range(hidden.shape[0])])

    def python(hidden):
        result = tf.py_function(lambda numbers: np.tanh(numbers.numpy()), [hidden], "float32")
        return tf.ensure_shape(result, hidden.shape)

    def nested(hidden):
        return tf.map_fn(python, hidden, fn_output_signature=tf.TensorSpec(hidden.shape[1:]))

    def broken(hidden):
        return tf.tanh(hidden) + tf.zeros((1, 77))

    class Tanh(keras.Model):
        def __init__(self, activate):
            super().__init__()
            self.dense = keras.layers.Dense(4)
            self.activate = activate

        def call(self, inputs):
            return self.activate(self.dense(inputs))

    kinds = {"portable": portable, "eager": eager, "loop": loop, "python": python, "nested": nested, "broken": broken}
    return Tanh(kinds[kind])


@in_worker
def serve(folder, x):
    """Return what an exported model answers."""
    model = tf.saved_model.load(str(folder))
    return model.serve(tf.constant(x)).numpy()


@points(1)
@hint("True means that model.export has written the folder, for any batch size.")
def test_portable_model_answers_elsewhere(student, clean, rng, worker_tmp_path):
    """A portable model is exported, and answers where its class is unknown."""
    x, model = rng.normal(size=(6, 3)).astype("float32"), make_model("portable")
    model(x)
    kernel, bias = fill_weights(model, rng, (3, 4), (4,))
    assert student.is_portable(model, x, worker_tmp_path / "model") is True
    folder = clean.copy(worker_tmp_path / "model")
    for batch in (x, rng.normal(size=(2, 3)).astype("float32")):
        assert_close(clean.run(serve, folder, batch), np.tanh(batch @ kernel + bias), rtol=1e-4)


@points(1)
@hint("An export that does not raise proves little. Trace for any batch size, and look into every function body.")
def test_models_that_need_python(student, rng, worker_tmp_path):
    """A model that cannot be traced, or whose graph calls Python, is not portable."""
    x = rng.normal(size=(6, 3)).astype("float32")
    kinds = rng.permutation(["portable", "portable", "portable", "eager", "loop", "python", "nested"]).tolist()
    for number, kind in enumerate(kinds):
        given = student.is_portable(make_model(kind), x, worker_tmp_path / f"model_{number}")
        assert given is (kind == "portable"), f"a model of the kind {kind!r} is portable: {given!r}"


@points(1)
@hint("Catch what tracing raises, and nothing else: a broken model or a bad folder is no answer.")
def test_errors_are_no_answers(student, tf, rng, worker_tmp_path):
    """A model that fails on the example raises, and so does a folder that cannot be written."""
    x = rng.normal(size=(6, 3)).astype("float32")
    tf.io.write_file(str(worker_tmp_path / "file"), "not a folder")
    cases = [("portable", "new"), ("portable", "newer"), ("portable", "file"), ("broken", "other")]
    for kind, place in rng.permutation(cases).tolist():
        if kind == "portable" and place != "file":
            assert student.is_portable(make_model(kind), x, worker_tmp_path / place) is True
            continue
        with raises(Exception, f"the model is {kind}, the folder {place}"):
            student.is_portable(make_model(kind), x, worker_tmp_path / place)
