import numpy as np

from gradetape.checks import assert_close, fill_weights, hint, in_worker, points, proves


def draw(rng, batch):
    """Draw inputs of a random width, a number of units that is not that width, and a scale of either sign."""
    x = rng.normal(scale=3, size=(batch, int(rng.integers(3, 8)))).astype("float32")
    return x, int(rng.integers(9, 14)), float(rng.choice([-1, 1]) * rng.uniform(0.2, 2))


def two_layers(x, kernel, bias, kernel_2, bias_2):
    """Return what a dense layer with ReLU and one without activation make of the inputs, in NumPy."""
    return np.maximum(x.astype("float64") @ kernel + bias, 0) @ kernel_2 + bias_2


@in_worker
def calling(layer, training=None):
    """Return a function that calls a layer."""

    def call(x):
        return layer(x, training=training)

    return call


@points(0.5)
@proves("layer-signature", "residual", "branch", "trainable-weights")
@hint("Which layer brings the branch back to the width of the inputs? It is n wide, not `units`.")
def test_residual(student, exported, rng):
    """Outside training ScaledResidual adds its scaled branch to the inputs."""
    x, units, scale = draw(rng, 20)
    n, layer = x.shape[1], student.ScaledResidual(units, scale, 0.5)
    layer(x)
    weights = fill_weights(layer, rng, (n, units), (units,), (units, n), (n,))
    graph = exported.if_possible(layer=(calling(layer), [(x,), (x[:1],)])).layer
    for call, batch in [(call, batch) for batch in (x, x[:1]) for call in (layer, graph)]:
        expected = batch + scale * two_layers(batch, *weights)
        advice = f"That is ScaledResidual({units}, {scale:.3f}, 0.5) of inputs of shape {batch.shape}."
        assert_close(call(batch), expected, advice, atol=1e-3)  # float32 sums over the units


@points(0.5)
@proves("dropout", "no-dropout-otherwise")
@hint("What is dropped, the branch or the sum? And who tells the dropout layer whether this is training?")
def test_dropout_in_training(student, exported, rng):
    """In training, and only there, dropout thins out the branch."""
    x, units, scale = draw(rng, 800)
    n, rate = x.shape[1], float(rng.uniform(0.2, 0.45))
    layer = student.ScaledResidual(units, scale, rate)
    layer(x)
    branch = scale * two_layers(x, *fill_weights(layer, rng, (n, units), (units,), (units, n), (n,)))
    modes = {"in_training": (calling(layer, True), [(x,)]), "otherwise": (calling(layer, False), [(x,)])}
    graphs = exported.if_possible(**modes, untold=(calling(layer), [(x,)]))
    for call in (modes["in_training"][0], graphs.in_training):
        given = np.asarray(call(x))
        assert given.shape == x.shape, f"expected the shape of the inputs, {x.shape}, but your code gave {given.shape}"
        dropped = given == x
        expected = np.where(dropped, x, x + branch / (1 - rate))
        assert_close(given, expected, f"That is rate={rate:.3f} and training=True.", atol=1e-3)  # float32 sums
        # of 2400 numbers or more, further off by chance with a probability below 1e-20 (Hoeffding)
        assert abs(dropped.mean() - rate) < 0.11, f"with rate={rate:.3f} a share of {dropped.mean():.3f} was dropped"
    for training, graph in (({"training": False}, graphs.otherwise), ({}, graphs.untold)):
        for given in (layer(x, **training), graph(x)):
            assert_close(given, x + branch, f"That is a call with {training or 'no training'}.", atol=1e-3)


@in_worker
def one_call(model, x):
    """Call the model after its metric was reset; return what it gives, the numbers in its losses, and its metric."""
    metric = getattr(model, "reconstruction_error", None)
    is_mean = isinstance(metric, keras.metrics.Mean)
    if is_mean:
        metric.reset_state()
    result = model(x)
    losses = [np.asarray(loss).tolist() for loss in model.losses]
    return result, losses, float(metric.result()) if is_mean else repr(metric)[:100]


@in_worker
def graph_of_one_call(model):
    """Return a function that calls the model, and returns the same."""

    def call(x):
        result = model(x)
        return result, tf.stack(model.losses), model.reconstruction_error.result()

    return call


@points(1)
@proves("model-signature", "heads", "only-the-prediction", "added-loss", "metric", "trainable-weights")
@hint("The mean e runs over all numbers of the batch. add_loss takes weight * e, and the metric takes e itself.")
def test_prediction_and_losses(student, exported, rng):
    """ReconstructingRegressor returns its prediction, adds the weighted loss and updates its metric."""
    x, units, scale = draw(rng, 20)
    n, weight = x.shape[1], abs(scale)
    for due, options in ((weight, {"weight": weight}), (0.05, {})):
        model = student.ReconstructingRegressor(units, **options)
        model(x[:1])
        hidden, bias, *rest = fill_weights(model, rng, (n, units), (units,), (units, 1), (1,), (units, n), (n,))
        given, losses, metric = one_call(model, x)
        kind = type(given).__name__
        assert kind not in ("tuple", "list", "dict"), f"expected only the prediction, but your model returned a {kind}"
        assert_close(given, two_layers(x, hidden, bias, *rest[:2]), "That is the prediction.", atol=1e-3)
        error = ((two_layers(x, hidden, bias, *rest[2:]) - x) ** 2).mean()
        assert losses, "expected a loss in model.losses after a call, but there is none"
        advice = f"That is model.losses with {options or 'no weight given'}: it should hold one number, weight * e."
        assert_close(losses, [due * error], advice, rtol=1e-4)  # float32 sums, as below
        assert not isinstance(metric, str), f"expected a keras.metrics.Mean as reconstruction_error, but it is {metric}"
        assert_close(metric, error, "That is reconstruction_error after one call: it should be e.", rtol=1e-4)
        model.reconstruction_error.reset_state()
        graph = exported.if_possible(call=(graph_of_one_call(model), [(x,)])).call
        due_of_graph = [(two_layers(x, hidden, bias, *rest[:2]), 1e-3), ([due * error], 1e-4), (error, 1e-4)]
        for given, (expected, tolerance) in zip(graph(x), due_of_graph, strict=True):
            assert_close(given, expected, "That is the same call in a graph.", rtol=tolerance, atol=tolerance)
