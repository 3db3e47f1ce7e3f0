import numpy as np

from gradetape.checks import assert_close, fill_weights, hint, points


def draw(rng, batch):
    """Draw inputs of a random width, a number of units that is not that width, and a scale."""
    x = rng.normal(size=(batch, int(rng.integers(3, 8)))).astype("float32")
    return x, int(rng.integers(9, 14)), float(rng.uniform(0.2, 2))


def two_layers(x, kernel, bias, kernel_2, bias_2):
    """Return what a dense layer with ReLU and one without activation make of the inputs, in NumPy."""
    return np.maximum(x.astype("float64") @ kernel + bias, 0) @ kernel_2 + bias_2


@points(1)
@hint("Which layer brings the branch back to the width of the inputs? It is n wide, not `units`.")
def test_residual(student, rng):
    """Outside training ScaledResidual adds its scaled branch to the inputs."""
    x, units, scale = draw(rng, 6)
    n, layer = x.shape[1], student.ScaledResidual(units, scale, 0.5)
    layer(x)
    weights = fill_weights(layer, rng, (n, units), (units,), (units, n), (n,))
    expected = x + scale * two_layers(x, *weights)
    advice = f"That is ScaledResidual({units}, {scale:.3f}, 0.5) of inputs of shape {x.shape}."
    assert_close(layer(x), expected, advice, atol=1e-4)  # float32 sums over the units


@points(1)
@hint("What is dropped, the branch or the sum? And who tells the dropout layer whether this is training?")
def test_dropout_in_training(student, rng):
    """In training, and only there, dropout thins out the branch."""
    x, units, scale = draw(rng, 300)
    n, rate = x.shape[1], float(rng.uniform(0.2, 0.6))
    layer = student.ScaledResidual(units, scale, rate)
    layer(x)
    branch = scale * two_layers(x, *fill_weights(layer, rng, (n, units), (units,), (units, n), (n,)))
    given = np.asarray(layer(x, training=True))
    dropped = given == x
    expected = np.where(dropped, x, x + branch / (1 - rate))
    assert_close(given, expected, f"That is rate={rate:.3f} and training=True.", atol=1e-4)  # float32 sums
    assert abs(dropped.mean() - rate) < 0.08, f"with rate={rate:.3f} a share of {dropped.mean():.3f} was dropped"
    assert_close(layer(x, training=False), x + branch, "That is training=False.", atol=1e-4)


@points(1)
@hint("The mean runs over all numbers of the batch, and add_loss takes it times the weight.")
def test_prediction_and_losses(student, rng):
    """ReconstructingRegressor returns its prediction and adds the weighted reconstruction loss."""
    x, units, weight = draw(rng, 20)
    n, model = x.shape[1], student.ReconstructingRegressor(units, weight=weight)
    model(x)
    hidden, bias, *rest = fill_weights(model, rng, (n, units), (units,), (units, 1), (1,), (units, n), (n,))
    expected = two_layers(x, hidden, bias, *rest[:2])
    assert_close(model(x), expected, "That is the prediction.", atol=1e-4)  # float32 sums over the units
    error = ((two_layers(x, hidden, bias, *rest[2:]) - x) ** 2).mean()
    advice = f"That is the sum of model.losses with weight={weight:.3f}."
    assert_close(sum(float(loss) for loss in model.losses), weight * error, advice, rtol=1e-4)
