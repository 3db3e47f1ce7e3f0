"""Hidden checks: a layer and a model where others build, train, save and load them."""

import json

import numpy as np

from gradetape.checks import (
    assert_close,
    assert_grads_flow,
    assert_serializable,
    fill_weights,
    hint,
    in_worker,
    points,
    proves,
)


def draw(rng, batch):
    """Draw inputs of a random width, a number of units that is not that width, and a scale of either sign."""
    x = rng.normal(size=(batch, int(rng.integers(3, 8)))).astype("float32")
    return x, int(rng.integers(9, 14)), float(rng.choice([-1, 1]) * rng.uniform(0.2, 2))


def two_layers(x, kernel, bias, kernel_2, bias_2):
    """Return what a dense layer with ReLU and one without activation make of the inputs, in NumPy."""
    return np.maximum(x.astype("float64") @ kernel + bias, 0) @ kernel_2 + bias_2


def fill_layer(layer, units, n, rng):
    """Fill the layer's weights; return them in the order in which they are used."""
    return fill_weights(layer, rng, (n, units), (units,), (units, n), (n,))


def fill_model(model, units, n, rng):
    """Fill the model's weights; return those that make the prediction and those that make the reconstruction."""
    kernel, bias, *heads = fill_weights(model, rng, (n, units), (units,), (units, 1), (1,), (units, n), (n,))
    return (kernel, bias, *heads[:2]), (kernel, bias, *heads[2:])


def error_of(x, reconstruction):
    """Return the e of the prompt."""
    return ((two_layers(x, *reconstruction) - x) ** 2).mean()


@in_worker
def calling(part, training=None):
    """Return a function that calls a layer, or calls a model and gives its losses and its metric too."""

    def call_layer(x):
        return part(x, training=training)

    def call_model(x):
        result = part(x)
        return result, tf.stack(model.losses), model.reconstruction_error.result()

    model = part
    return call_model if isinstance(part, keras.Model) else call_layer


@points(1)
@proves("build", "build-only", "trainable-weights", "nothing-shared")
@hint("A Dense layer that `build` has made still has no weights: build it, with the shape that it will see.")
def test_build_makes_every_weight(student, exported, rng):
    """`build` alone makes every weight for the width that it is told, and leaves the metric as it was."""
    n = int(rng.integers(3, 8))
    sizes = [(1, 4), (3, 1), (n, n + 5), (n, n + 5), (4, 4)]
    layers = [student.ScaledResidual(units, 0.5 + i, 0.0) for i, (_, units) in enumerate(sizes)]
    models = [student.ReconstructingRegressor(units) for _, units in sizes]
    for each in (layers, models):
        for part, (n, _) in zip(each, sizes, strict=True):
            part.build((None, n))
    branches = [fill_layer(layer, units, n, rng) for layer, (n, units) in zip(layers, sizes, strict=True)]
    heads = [fill_model(model, units, n, rng) for model, (n, units) in zip(models, sizes, strict=True)]
    inputs = [(rng.normal(size=(4, n)).astype("float32"),) for n, _ in sizes]
    functions = {}
    for i, x in enumerate(inputs):
        functions |= {f"layer_{i}_{mode}": (calling(layers[i], mode), [x]) for mode in (False, True)}
        functions[f"model_{i}"] = calling(models[i]), [x]
    graphs = exported.if_possible(**functions)
    for i, (n, units) in enumerate(sizes):
        [x], advice = inputs[i], f"That is for n = {n} and {units} units."
        # float32 sums over the units, as below
        expected = x + (0.5 + i) * two_layers(x, *branches[i])
        for training in (False, True):
            for call in (getattr(graphs, f"layer_{i}_{training}"), calling(layers[i], training)):
                assert_close(call(x), expected, advice, rtol=1e-4, atol=1e-4)
        for call in (getattr(graphs, f"model_{i}"), calling(models[i])):
            given, _, metric = call(x)
            assert_close(given, two_layers(x, *heads[i][0]), advice, atol=1e-4)
            assert_close(metric, error_of(x, heads[i][1]), f"{advice} It is the metric after one call.", rtol=1e-4)


@in_worker
def parts_of_configuration(part):
    """Return the configuration of a layer or model, and what the base class tells of it."""
    base = keras.Model if isinstance(part, keras.Model) else keras.layers.Layer
    known = base.get_config(part)
    return part.get_config(), {key: known[key] for key in ("name", "trainable") if key in known}


def assert_configured(part, name, **arguments):
    """Show that the configuration has the base class's entries and plain arguments; return a copy of a copy."""
    config, base = parts_of_configuration(part)
    assert part.name == name, f"expected the name {name!r}, but it is {part.name!r}"
    again = assert_serializable(assert_serializable(part, **base, **arguments), **base, **arguments)
    for key in arguments:
        assert type(config[key]) in (int, float), f"{key} is no plain number in get_config()"
    json.dumps(config)
    return again


@points(1)
@proves("base-configuration", "own-configuration", "layer-signature", "model-signature", "kwargs", "nothing-shared")
@hint("get_config returns the base class's configuration with every argument of yours added to it, as it was given.")
def test_configuration(student, exported, rng):
    """Both can be made again from their configuration, with the base class's part of it and with zeros."""
    x, units, drawn = draw(rng, 4)
    n, name, parts = x.shape[1], f"part_{rng.integers(1000)}", []
    for scale, rate in ((drawn, float(rng.uniform(0.2, 0.6))), (0.0, 0.0)):
        layer = student.ScaledResidual(units, scale, rate, name=name, trainable=False)
        parts.append((units, scale, rate, layer, student.ReconstructingRegressor(units, abs(scale), name=name)))
        units += 1
    for units, scale, rate, layer, model in parts:
        assert layer.trainable is False, "a layer made with trainable=False is trainable"
        layer = assert_configured(layer, name, units=units, scale=scale, rate=rate)
        layer.trainable = True
        layer(x)
        branch = two_layers(x, *fill_layer(layer, units, n, rng))
        model, weight = assert_configured(model, name, units=units, weight=abs(scale)), abs(scale)
        model(x)
        prediction, reconstruction = fill_model(model, units, n, rng)
        modes = {f"training_{mode}": calling(layer, mode) for mode in ((False, True) if rate == 0 else (False,))}
        graphs = exported.if_possible(
            model=(calling(model), [(x,)]), **{mode: (call, [(x,)]) for mode, call in modes.items()}
        )
        for mode, call in modes.items():
            for given in (getattr(graphs, mode)(x), call(x)):
                assert_close(given, x + scale * branch, atol=1e-4)
        for given, loss, _ in (graphs.model(x), calling(model)(x)):
            assert_close(given, two_layers(x, *prediction), atol=1e-4)
            assert_close(loss, [weight * error_of(x, reconstruction)], rtol=1e-4)


@in_worker
def calling_often(layer):
    """Return a function that calls a layer in training for each of some numbers, within one graph."""

    @tf.function
    def call(small, numbers):
        return tf.map_fn(lambda _: layer(small, training=True), numbers, fn_output_signature=tf.float32)

    return call


@in_worker
def drawn_beside(kind, arguments, x, options):
    """Make and call two layers or models; return what TensorFlow draws after each step."""
    draws = []
    for _ in range(2):
        part = kind(*arguments)
        draws.append(tf.random.uniform([4]).numpy().tolist())
        part(x, **options)
        draws.append(tf.random.uniform([4]).numpy().tolist())
    return draws


def assert_unrelated(one, other, rate, what):
    """Show that two arrays of independent events with probability `rate` are independent of each other."""
    # Hoeffding: off by more than that with a probability below 1e-10
    bound = np.sqrt(np.log(2e10) / (2 * one.size))
    both = (one & other).mean()
    assert abs(both - rate**2) < bound, f"{what} dropped in a share of {both:.3f}: rate² is {rate**2:.3f}"


@points(1)
@proves("dropped-independently", "dropout", "nothing-shared", "no-seed")
@hint("What is drawn for each number, and when? A mask for a row or column, a count, or a seed of yours ties numbers.")
def test_each_number_is_dropped_by_itself(student, exported, rng):
    """Each number is dropped independently of its neighbours and anew in every call, in a graph too."""
    units, rate = int(rng.integers(9, 14)), float(rng.uniform(0.2, 0.4))
    layer, other = (student.ScaledResidual(units, 1.0, each) for each in (rate, 0.0))
    x = rng.normal(size=(2000, 4)).astype("float32")
    for each in (layer, other):
        each(x[:2])
    fill_layer(layer, units, 4, rng)
    often = x[:2], np.arange(3000)
    graphs = exported.if_possible(once=(calling(layer, True), [(x,)]), often=(calling_often(layer), [often]))
    loaded, first, second = (np.asarray(call(x)) == x for call in (graphs.once, *[calling(layer, True)] * 2))
    many = np.asarray(graphs.often(*often)) == x[:2]
    assert_unrelated(first, second, rate, "In two calls the same number is")
    for what, mask in (("eagerly", first[np.newaxis]), ("as a graph", loaded[np.newaxis]), ("in a graph", many)):
        assert_unrelated(mask[..., ::2], mask[..., 1::2], rate, f"Called {what}, two numbers of one row are")
        assert_unrelated(mask[:, ::2], mask[:, 1::2], rate, f"Called {what}, two numbers of one column are")
    assert_unrelated(many[::2], many[1::2], rate, "In two calls within a graph the same number is")
    # with eight numbers, at most two different counts in 3000 calls have a probability below 1e-300
    assert len(set(many.sum(axis=(1, 2)).tolist())) > 2, "always as many numbers are dropped"
    drawn = drawn_beside(student.ScaledResidual, (units, 1.0, rate), x[:2], {"training": True})
    drawn += drawn_beside(student.ReconstructingRegressor, (units,), x[:2], {})
    assert len(set(map(tuple, drawn))) == len(drawn), "one of them sets TensorFlow's seed"


@in_worker
def prepare(model, x):
    """Make the model's weights by a call that no metric remembers, and compile it."""
    model(x)
    model.reconstruction_error.reset_state()
    model.compile(loss="mse", jit_compile=False)


@in_worker
def evaluations(model, x, y, sizes):
    """Return what the compiled model reports of the data, for each batch size in turn."""
    return [model.evaluate(x, y, batch_size=size, verbose=0, return_dict=True) for size in sizes]


@points(1)
@proves("added-loss", "metric", "metric-counts-calls", "metric-reported", "only-the-prediction", "nothing-shared")
@hint("`evaluate` adds up what add_loss was given, and resets the metrics that are attributes of the model.")
def test_evaluate(student, exported, rng):
    """Each call has its own loss, and `evaluate` tells it and the mean of the batches' errors, for models in turn."""
    x, units, _ = draw(rng, 10)
    n, y = x.shape[1], rng.normal(size=(10, 1)).astype("float32")
    weights = rng.uniform(0.2, 2, size=2).tolist()
    models = [student.ReconstructingRegressor(units, weight=weight) for weight in weights]
    for model in models:
        prepare(model, x)
    filled = [fill_model(model, units, n, rng) for model in models]
    batches, calls = [(x,), (x[:1],), (x[4:],)], [calling(model) for model in models]
    graphs = exported.if_possible(**{f"model_{i}": (call, batches) for i, call in enumerate(calls)})
    for way in ([graphs.model_0, graphs.model_1], calls):
        errors = [[] for _ in models]
        for [batch] in batches:
            for call, weight, (prediction, reconstruction), seen in zip(way, weights, filled, errors, strict=True):
                seen.append(error_of(batch, reconstruction))
                given, loss, metric = call(batch)
                assert_close(given, two_layers(batch, *prediction), atol=1e-4)
                assert_close(loss, [weight * seen[-1]], rtol=1e-4)
                assert_close(metric, np.mean(seen), rtol=1e-4)
        for model in models:
            model.reconstruction_error.reset_state()
    for model, weight, (prediction, reconstruction) in zip(models, weights, filled, strict=True):
        whole, batches = evaluations(model, x, y, (10, 4))
        assert "reconstruction_error" in whole, f"evaluate reports only {sorted(whole)}"
        error, loss = error_of(x, reconstruction), ((two_layers(x, *prediction) - y) ** 2).mean()
        assert_close([whole["reconstruction_error"], whole["loss"]], [error, loss + weight * error], rtol=1e-4)
        parts = [error_of(part, reconstruction) for part in (x[:4], x[4:8], x[8:])]
        assert_close(batches["reconstruction_error"], np.mean(parts), "Its batches have 4, 4 and 2 rows.", rtol=1e-4)


@in_worker
def sloping(model):
    """Return a function that gives the gradient of the whole loss with respect to each trainable weight."""

    def slope(x, y):
        with tf.GradientTape() as tape:
            loss = keras.losses.MeanSquaredError()(y, model(x, training=True)) + sum(model.losses)
        weights = [tf.convert_to_tensor(weight) for weight in model.trainable_variables]
        unconnected = tf.UnconnectedGradients.ZERO
        return weights, tape.gradient(loss, model.trainable_variables, unconnected_gradients=unconnected)

    return slope


@in_worker
def one_step(model, x, y, rate):
    """Return what the first step of fit reports, and the trainable weights after it, by their shapes."""
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(rate), jit_compile=False)
    told = model.fit(x, y, batch_size=len(x), verbose=0).history
    weights = {str(tuple(weight.shape)): weight.numpy() for weight in model.trainable_weights}
    return {key: values[0] for key, values in told.items()}, weights


def assert_descended(given, weights, slopes, rate):
    """Show that each weight has gone down its slope."""
    for weight, slope in zip(weights, slopes, strict=True):
        advice = f"That is the weight of shape {weight.shape} after one step."
        assert_close(given[str(weight.shape)], weight - rate * slope, advice, rtol=1e-4, atol=1e-4)


@points(1)
@proves("trained", "metric-reported", "added-loss")
@hint("The gradient of the whole loss must reach every layer. Is any step of `call` outside TensorFlow's operations?")
def test_fit(student, exported, rng):
    """`fit` trains every weight, by the prediction and, as much as the weight says, by the reconstruction."""
    x, units, weight = draw(rng, 16)
    n, weight, y = x.shape[1], abs(weight), rng.normal(size=(16, 1)).astype("float32")
    model = student.ReconstructingRegressor(units, weight=weight)
    model(x)
    (kernel, bias, *first), (*_, kernel_n, bias_n) = fill_model(model, units, n, rng)
    before = x @ kernel + bias
    hidden = np.maximum(before, 0)
    wrong, forgotten = hidden @ first[0] + first[1] - y, hidden @ kernel_n + bias_n - x
    graphs = exported.if_possible(slope=(sloping(model), [(x, y)]))
    pairs = [map(np.asarray, pair) for pair in zip(*graphs.slope(x, y), strict=True)]
    moved = {str(weight.shape): weight - 0.05 * slope for weight, slope in pairs}
    told, given = one_step(model, x, y, 0.05)
    assert "reconstruction_error" in told, f"fit reports only {sorted(told)}"
    error = (forgotten**2).mean()
    expected = [error, (wrong**2).mean() + weight * error]
    assert_close([told["reconstruction_error"], told["loss"]], expected, rtol=1e-4)
    slope, slope_n = 2 * wrong / len(x), 2 * weight * forgotten / forgotten.size
    back = (slope @ first[0].T + slope_n @ kernel_n.T) * (before > 0)
    slopes = x.T @ back, back.sum(axis=0), hidden.T @ slope, slope.sum(axis=0), hidden.T @ slope_n, slope_n.sum(axis=0)
    weights = kernel, bias, *first, kernel_n, bias_n
    assert_descended(given, weights, slopes, 0.05)
    assert_descended(moved, weights, slopes, 0.05)


@in_worker
def reported_losses(layer, x, offset):
    """Let the branch be the offset; return the losses of fit, which moves nothing, and evaluate, of targets x."""
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    for weight in layer.trainable_weights:
        weight.assign(offset if tuple(weight.shape) == offset.shape else np.zeros(weight.shape))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    fitted = model.fit(x, x, batch_size=600, verbose=0).history["loss"][0]
    return fitted, model.evaluate(x, x, batch_size=len(x), verbose=0)


@points(1)
@proves("trained", "dropout", "no-dropout-otherwise")
@hint("Inside a model, who tells your dropout that it is `fit`? And does every step of `call` pass gradients on?")
def test_layer_inside_fit(student, exported, keras, rng):
    """Inside a model the layer drops out in `fit` alone, and the gradient reaches all its weights and its inputs."""
    x, units, scale = draw(rng, 1000)
    n, layer = x.shape[1], student.ScaledResidual(units, scale, 0.0)
    model, y = keras.Sequential([keras.Input((n,)), layer]), rng.normal(size=(16, n)).astype("float32")
    kernel, bias, kernel_2, bias_2 = fill_layer(layer, units, n, rng)
    before = x[:16] @ kernel + bias
    hidden = np.maximum(before, 0)
    through = 1 + scale * ((before > 0) * kernel_2.sum(axis=1)) @ kernel.T
    advice = "That is the gradient with respect to the inputs."
    graphs = exported.if_possible(layer=(calling(layer), [(x[:16],)]))
    for call in (graphs.layer, layer):
        assert_close(assert_grads_flow(call, x[:16]), through, advice, rtol=1e-4, atol=1e-4)
    slope = 2 * scale * (x[:16] + scale * (hidden @ kernel_2 + bias_2) - y) / y.size
    back = (slope @ kernel_2.T) * (before > 0)
    slopes = x[:16].T @ back, back.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)
    assert_descended(one_step(model, x[:16], y, 0.05)[1], (kernel, bias, kernel_2, bias_2), slopes, 0.05)
    rate, size = float(rng.uniform(0.25, 0.4)), float(rng.uniform(1, 2))
    offset = size * rng.choice([-1, 1], size=n)
    fitted, evaluated = reported_losses(student.ScaledResidual(units, scale, rate), x, offset)
    assert_close(evaluated, (scale * size) ** 2, "In evaluate nothing is dropped.", rtol=1e-4)
    # The branch is ±size everywhere, so the loss counts what is kept of 3000 numbers or more: further off by chance
    # with a probability below 1e-25 (Hoeffding)
    kept = fitted * (1 - rate) ** 2 / (scale * size) ** 2
    assert abs(kept - (1 - rate)) < 0.1, f"with rate={rate:.3f} a share of {kept:.3f} was kept in fit"


@points(0.5)
@proves("saved-weights")
@hint("load_weights fills only weights that are there. Which of your layers are not built by `build`?")
def test_saved_weights(student, exported, rng, worker_tmp_path):
    """A new model that was only built takes over all weights of another that was trained."""
    x, units, weight = draw(rng, 8)
    n, weight, y = x.shape[1], abs(weight), rng.normal(size=(8, 1)).astype("float32")
    model = student.ReconstructingRegressor(units, weight=weight)
    one_step(model, x, y, 0.1)
    prediction, reconstruction = fill_model(model, units, n, rng)
    model.save_weights(str(worker_tmp_path / "model.weights.h5"))
    again = student.ReconstructingRegressor(units, weight=weight)
    again.build((None, n))
    again.load_weights(str(worker_tmp_path / "model.weights.h5"))
    graphs = exported.if_possible(model=(calling(again), [(x,)]))
    for given, loss, _ in (graphs.model(x), calling(again)(x)):
        assert_close(given, two_layers(x, *prediction), atol=1e-4)
        assert_close(loss, [weight * error_of(x, reconstruction)], rtol=1e-4)


@points(0.5)
@proves("saved-layer", "nothing-shared")
@hint("A loaded model makes your layer from its configuration and fills the weights that Keras knows of.")
def test_saved_within_a_model(student, exported, keras, rng, worker_tmp_path):
    """A model with two such layers in it is saved and loaded."""
    x, units, scale = draw(rng, 8)
    n, layers = x.shape[1], [student.ScaledResidual(units + i, scale + i, 0.3) for i in range(2)]
    model = keras.Sequential([keras.Input((n,)), *layers])
    expected = x
    for i, layer in enumerate(layers):
        expected = expected + (scale + i) * two_layers(expected, *fill_layer(layer, units + i, n, rng))
    model.save(worker_tmp_path / "model.keras")
    names = {"ScaledResidual": student.ScaledResidual}
    again = keras.models.load_model(worker_tmp_path / "model.keras", custom_objects=names)
    graphs = exported.if_possible(model=(again, [(x,)]))
    for given in (graphs.model(x), again(x)):
        assert_close(given, expected, rtol=1e-4, atol=1e-3)  # float32 sums over the units, twice
