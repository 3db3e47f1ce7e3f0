"""Hidden checks: what a training loop must get right besides the gradient."""

import numpy as np

from gradetape.checks import assert_close, fill_weights, hint, in_worker, points, proves


@in_worker
def linear_model(n, penalties):
    """Build a model of two linear layers with penalties of each kind; return it and what its deep layer logs.

    The log counts the steps by the run of the layer's Python that made their graph.
    """
    of_wide, of_bias, of_deep, of_outputs = penalties
    log = tf.Variable(tf.zeros([99]), trainable=False)

    class Counted(keras.layers.Dense):
        runs = 0

        def call(self, inputs):
            self.runs += 1
            log.assign_add(tf.one_hot(min(self.runs, 98), 99))
            return super().call(inputs)

    class Watching(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(of_outputs * tf.reduce_mean(tf.square(inputs)))
            return inputs

    regularizers = [keras.regularizers.L2(penalty) for penalty in (of_wide, of_bias, of_deep)]
    inputs, deep = keras.Input((n,)), Counted(1, name="deep", kernel_regularizer=regularizers[2])
    wide = keras.layers.Dense(1, name="wide", kernel_regularizer=regularizers[0], bias_regularizer=regularizers[1])
    model = keras.Model(inputs, Watching()(keras.layers.add([deep(inputs), wide(inputs)])))
    deep.runs = 0
    return model, log


@in_worker
def counting_optimizers(rates, momentum):
    """Make two optimizers, and what each logs: it counts updates by the run of the Python that made their graph."""

    def counting(log):
        class Counting(keras.optimizers.SGD):
            runs = 0

            def update_step(self, *args, **kwargs):
                self.runs += 1
                log.assign_add(tf.one_hot(min(self.runs, 98), 99))
                return super().update_step(*args, **kwargs)

        return Counting

    logs = [tf.Variable(tf.zeros([99]), trainable=False) for _ in rates]
    return [counting(log)(rate, momentum=momentum) for log, rate in zip(logs, rates, strict=True)], logs


@in_worker
def trained(model, logs):
    """Return a function that gives the trainable weights of the wide and of the deep layer, and the logs."""
    parts = [model.get_layer(name).trainable_weights for name in ("wide", "deep")]
    return lambda: ([list(map(tf.convert_to_tensor, part)) for part in parts], list(map(tf.convert_to_tensor, logs)))


def descend(batches, parts, rates, penalties, momentum):
    """Return the loss of each step of gradient descent, in NumPy, and both parts after it: the last row is the bias."""
    of_wide, of_bias, of_deep, of_outputs = penalties
    weight_wide, weight_deep = np.full_like(parts[0], of_wide), np.full_like(parts[1], of_deep)
    weight_wide[-1], weight_deep[-1] = of_bias, 0
    losses, speeds = [], [0, 0]
    for x, y in batches:
        x, (wide, deep) = np.hstack([x, np.ones((len(x), 1))]), parts
        outputs = x @ (wide + deep)
        error = outputs - y
        penalty = (weight_wide * wide**2).sum() + (weight_deep * deep**2).sum() + of_outputs * (outputs**2).mean()
        losses.append((error**2).mean() + penalty)
        slope = 2 * x.T @ (error + of_outputs * outputs) / len(x)
        slopes = slope + 2 * weight_wide * wide, slope + 2 * weight_deep * deep
        speeds = [momentum * speed - rate * one for speed, rate, one in zip(speeds, rates, slopes, strict=True)]
        parts = [part + speed for part, speed in zip(parts, speeds, strict=True)]
    return losses, parts


def draw(rng, count, scale=1.0):
    """Draw features of a random number and one target for each example."""
    x, y = rng.normal(size=(count, int(rng.integers(1, 7)))), scale * rng.normal(size=(count, 1))
    return x.astype("float32"), y.astype("float32")


def fill_parts(model, n, rng):
    """Fill both linear layers; return each as one column, the bias last."""
    return [np.vstack(fill_weights(model.get_layer(name), rng, (n, 1), (1,))) for name in ("wide", "deep")]


def assert_follows(student, exported, tf, rng, model, parts, data, sizes, epochs, penalties, momentum=0.0):
    """Show that `train` gives the losses and parts that NumPy gives, over batches of these sizes.

    Returns the parts, and what the model and the optimizers have logged.
    """
    x, y = data
    rates, cuts = rng.uniform(0.02, 0.1, size=2).tolist(), np.cumsum(sizes)[:-1]
    batches = list(zip(np.split(x, cuts), np.split(y, cuts), strict=True))
    losses, parts = descend(batches * epochs, parts, rates, penalties, momentum)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(sizes[0])
    (model, log), (optimizers, logs) = model, counting_optimizers(rates, momentum)
    given = student.train(model, dataset, epochs, *optimizers)
    assert_close(given, np.reshape(losses, (epochs, -1)).mean(axis=1), rtol=1e-4)  # float32, step upon step
    found, logged = exported(trained=(trained(model, [log, *logs]), [()])).trained()
    for name, weights, part in zip(("wide", "deep"), found, parts, strict=True):
        weights = np.vstack([np.asarray(weight) for weight in weights])
        assert_close(weights, part, f"That is {name}, after {epochs} epochs.", rtol=1e-3, atol=1e-3)
    return parts, [np.asarray(each) for each in logged]


@points(1)
@proves("penalties", "loss")
@hint("After a call all penalties wait in model.losses. Is their sum part of the loss, under the tape?")
def test_losses_of_the_layers(student, exported, tf, rng):
    """All penalties of the model's layers belong to the loss, and to its gradient."""
    data, penalties = draw(rng, 12), rng.uniform(0.05, 0.2, size=4).tolist()
    n = data[0].shape[1]
    model = linear_model(n, penalties)
    assert_follows(student, exported, tf, rng, model, fill_parts(model[0], n, rng), data, [6, 6], 2, penalties)


@points(1)
@proves("graph", "steps", "any-dataset")
@hint("What is inside your tf.function, and where is it made? Made anew, or given Python numbers, it is traced anew.")
def test_python_of_a_step(student, exported, tf, rng):
    """The Python of a step runs at most three times, the optimizers' too, and yet every step is taken."""
    data = draw(rng, 15)
    n, penalties = data[0].shape[1], [0.0] * 4
    model = linear_model(n, penalties)
    parts, sizes = fill_parts(model[0], n, rng), [4, 4, 4, 3]
    _, logs = assert_follows(student, exported, tf, rng, model, parts, data, sizes, 5, penalties, momentum=0.5)
    for what, log, of_step in zip(("model", "wide optimizer", "deep optimizer"), logs, (1, 2, 2), strict=True):
        runs = np.count_nonzero(log) / of_step  # an optimizer updates two weights in each step
        assert 0 < runs <= 3, f"the Python of the {what} ran {runs:g} times in 20 steps"
        steps = log.sum() / of_step  # a model may have been called before the first one
        assert 20 <= steps <= 23, f"the {what} itself ran {steps:g} times in 20 steps"


@points(1)
@proves("again", "optimizers", "loss")
@hint("A tf.function keeps the model and the optimizers that it was traced with. Where do you define it?")
def test_models_in_turn(student, exported, tf, rng):
    """One model after another can be trained, and the first one again, with new optimizers."""
    penalties, models = [0.1, 0.0, 0.0, 0.0], []
    for scale in (1.0, 1000.0):
        data = draw(rng, 10, scale)
        model = linear_model(data[0].shape[1], penalties)
        models.append((model, fill_parts(model[0], data[0].shape[1], rng), data))
    for i, epochs in ((0, 1), (1, 2), (0, 2)):
        (model, parts, data), momentum = models[i], float(rng.uniform(0.3, 0.7))
        parts, _ = assert_follows(student, exported, tf, rng, model, parts, data, [5, 5], epochs, penalties, momentum)
        models[i] = model, parts, data


@in_worker
def run_of(train, seed, x, y):
    """Train a model with nested, frozen and normalizing layers; return the losses, and a function of what it is then.

    It gives the weights, and the steps that the optimizers have counted.

    Without `train` it is trained here, step by step.
    """
    keras.utils.set_random_seed(seed)
    inner = keras.Sequential([keras.layers.Dense(1, kernel_regularizer="l2")])
    frozen = [keras.layers.Dense(5, "tanh") for _ in range(2)]
    for layer in frozen:
        layer.build((None, x.shape[1]))
        layer.trainable = False
    first = keras.layers.Dense(2, bias_regularizer="l2")
    first.build((None, 5))
    deep = keras.Sequential([frozen[0], keras.layers.BatchNormalization(), inner], name="deep")
    wide = keras.Sequential([frozen[1], first, keras.layers.Dense(1)], name="wide")

    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.scaled = deep, wide, keras.layers.Rescaling(0.5)

        def call(self, inputs, training=None):
            inputs = self.scaled(inputs)
            return self.second(inputs, training=training) + self.first(inputs, training=training)

    def step_by_step(model, dataset, epochs, *optimizers):
        losses = []
        for batch, targets in dataset.repeat(epochs):
            with tf.GradientTape(persistent=True) as tape:
                outputs = model(batch, training=True)
                loss = tf.reduce_mean(tf.square(outputs - targets)) + tf.add_n(model.losses)
            slopes = [tape.gradient(loss, part.trainable_variables) for part in (wide, deep)]
            for part, slope, optimizer in zip((wide, deep), slopes, optimizers, strict=True):
                optimizer.apply_gradients(zip(slope, part.trainable_variables, strict=True))
            losses.append(float(loss))
        return np.reshape(losses, (epochs, -1)).mean(axis=1)

    model = Subclassed()
    model(x)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 1, 0.8)
    optimizers = keras.optimizers.SGD(schedule, momentum=0.5), keras.optimizers.Adam(schedule)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(4).filter(lambda *batch: True)
    losses = [float(loss) for loss in (train or step_by_step)(model, dataset, 2, *optimizers)]
    variables = model.weights, [each.iterations for each in optimizers]
    return losses, lambda: [list(map(tf.convert_to_tensor, each)) for each in variables]


@in_worker
def renewed_losses(train, n, epochs):
    """Return the losses of a model that gives 0 and does not learn, and how many batches an epoch reads ahead.

    All targets count how often data were asked for.
    """
    asked, ahead, optimizers = [], [], [keras.optimizers.SGD(0.0) for _ in range(2)]

    def batches():
        asked.append(1)
        before = int(np.array(optimizers[1].iterations))
        for step, size in enumerate([4] * 39 + [2]):
            ahead.append(before + step - int(np.array(optimizers[1].iterations)))
            yield np.ones((size, n), "float32"), np.full((size, 1), len(asked), "float32")

    signature = tf.TensorSpec((None, n), "float32"), tf.TensorSpec((None, 1), "float32")
    inputs = keras.Input((n,))
    parts = [keras.layers.Dense(1, kernel_initializer="zeros", name=name)(inputs) for name in ("deep", "wide")]
    model = keras.Model(inputs, keras.layers.add(parts))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return [float(loss) for loss in train(model, dataset, epochs, *optimizers)], max(ahead)


@points(1)
@proves("any-model", "any-dataset", "batch-by-batch", "frozen", "steps", "training-mode", "optimizers")
@hint("Which weights do you take from each part? How often does an optimizer count a step? Is each epoch read anew?")
def test_any_model_and_dataset(student, exported, clean, rng):
    """Models of any kind are trained, frozen layers rest, a step is one step, and each epoch reads the data anew."""
    (x, y), seed = draw(rng, 10), int(rng.integers(10**6))
    losses, trained = run_of(student.train, seed, x, y)
    losses_due, trained_due = clean.run(run_of, None, seed, x, y)
    (weights, steps), (weights_due, _) = exported(trained=(trained, [()])).trained(), trained_due()
    steps = [int(np.asarray(each)) for each in steps]
    assert steps == [6, 6], f"after 6 steps the optimizers count {steps[0]} (wide) and {steps[1]} (deep)"
    assert_close(losses, losses_due, rtol=1e-3)  # float32, step upon step, as below
    for weight, due in zip(weights, weights_due, strict=True):
        assert_close(weight, due, rtol=1e-2, atol=1e-3)
    losses, ahead = renewed_losses(student.train, int(rng.integers(1, 5)), 3)
    roots = np.sqrt(losses)
    assert len(roots) == 3 and np.allclose(roots, roots.round()), f"the losses of a model that gives 0 are {losses}"
    assert (np.diff(roots) > 0.5).all(), "an epoch trains on the batches of another"
    assert ahead < 30, f"{ahead} of an epoch's 40 batches are read before their steps are taken"


@in_worker
def normalizing_model(n, momentum):
    """Build a model whose deep layer normalizes its inputs and whose wide layer does nothing."""
    norm = keras.layers.BatchNormalization(momentum=momentum, epsilon=0.01, name="norm")
    inputs, deep = keras.Input((n,)), keras.Sequential([norm, keras.layers.Dense(1)], name="deep")
    wide = keras.layers.Dense(1, kernel_initializer="zeros", name="wide")
    return keras.Model(inputs, keras.layers.add([wide(inputs), deep(inputs)]))


@in_worker
def remembered(model):
    """Return a function that gives the kernel behind the normalization, and the mean that this remembers."""
    norm, dense = model.get_layer("deep").layers[-2:]
    return lambda: (tf.convert_to_tensor(dense.kernel), tf.convert_to_tensor(norm.moving_mean))


@points(1)
@proves("training-mode", "before-the-update")
@hint("What do you tell the model when you call it, so that it knows that this is training?")
def test_training_mode(student, exported, keras, tf, rng):
    """Batch normalization uses the batch that it sees, and remembers it once."""
    (x, y), momentum = draw(rng, 12), float(rng.uniform(0.5, 0.9))
    model = normalizing_model(x.shape[1], momentum)
    dataset = tf.data.Dataset.from_tensors((x, y))
    given = student.train(model, dataset, 2, keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    kernel, mean = (np.asarray(each) for each in exported(remembered=(remembered(model), [()])).remembered())
    normalized = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.01)
    assert_close(given, [((normalized @ kernel - y) ** 2).mean()] * 2, rtol=1e-4)
    assert_close(mean, (1 - momentum**2) * x.mean(axis=0), rtol=1e-4)


@in_worker
def seeded_run(train, seed, x, y, kernel):
    """Return the losses of two epochs of a model with dropout, made anew after the seed, and random numbers then.

    The last result is a function that gives the trained weights.
    """
    keras.utils.set_random_seed(seed)
    inputs, last = keras.Input(x.shape[1:]), keras.layers.Dense(1)
    deep = keras.Sequential([keras.layers.Dropout(0.5), last], name="deep")
    wide = keras.layers.Dense(1, kernel_initializer="zeros", name="wide")
    model = keras.Model(inputs, keras.layers.add([wide(inputs), deep(inputs)]))
    last.kernel.assign(kernel)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(1200)
    losses = train(model, dataset, 2, keras.optimizers.SGD(1e-4), keras.optimizers.SGD(1e-4))
    drawn = np.random.uniform(size=4).tolist(), tf.random.uniform([4]).numpy().tolist()
    return [float(loss) for loss in losses], *drawn, lambda: tf.convert_to_tensor(last.kernel)


@points(1)
@proves("no-randomness", "training-mode")
@hint("Which random numbers does your loop draw, and which seed does it set? The order is the dataset's business.")
def test_runs_with_one_seed(student, exported, rng):
    """With dropout, two runs with one seed agree to the last digit, and another seed makes a difference."""
    x, y = draw(rng, 4800)
    kernel = rng.normal(size=(x.shape[1], 1)) * rng.uniform(2, 20)
    seed, other = rng.choice(10**6, size=2, replace=False).tolist()
    runs = [seeded_run(student.train, each, x, y, kernel) for each in (seed, seed, other)]
    graphs = exported(**{f"kernel_{i}": (run[-1], [()]) for i, run in enumerate(runs)})
    kernels = [np.asarray(getattr(graphs, f"kernel_{i}")()).tolist() for i in range(3)]
    runs = [[*run[:-1], trained] for run, trained in zip(runs, kernels, strict=True)]
    assert runs[0] == runs[1], "two runs with the same seed differ"
    kinds = ("losses", "numbers of NumPy", "numbers of TensorFlow", "trained weights")
    for what, one, another in zip(kinds, runs[0], runs[2], strict=True):
        assert one != another, f"after different seeds the {what} agree"
    expected = ((x @ kernel - y) ** 2).mean() + (x**2 @ kernel**2).mean()  # half of the inputs are doubled, half are 0
    assert_close(runs[0][0][0], expected, rtol=0.2)  # six standard deviations of the mean, or more


@points(1)
@proves("deep-layer", "sum-of-two", "optimizers")
@hint("Does the deep part learn what is not linear? Its optimizer and its gradients must belong together.")
def test_learns(student, exported, keras, tf, rng):
    """The whole model learns what no linear model can."""
    x = rng.normal(size=(100, 3)).astype("float32")
    y = (np.abs(x).sum(axis=1, keepdims=True) + x[:, :1] + rng.normal()).astype("float32")
    model, dataset = student.build_wide_and_deep(3), tf.data.Dataset.from_tensors((x, y)).repeat(12)
    losses = student.train(model, dataset, 5, keras.optimizers.Ftrl(0.3), keras.optimizers.Adam(0.05))
    graph = exported.if_possible(model=(model, [(x,)])).model
    after = ((np.asarray(graph(x)) - y) ** 2).mean()
    columns = np.hstack([x, np.ones((100, 1))])
    linear = ((columns @ np.linalg.lstsq(columns, y, rcond=None)[0] - y) ** 2).mean()
    assert 2 * after < linear, f"the loss is {after:.3f} after training, where a linear model reaches {linear:.3f}"
    assert 0 < losses[-1] < losses[0], f"expected a loss that falls, but train returned {losses!r}"
