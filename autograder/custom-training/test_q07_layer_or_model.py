"""Hidden checks: a layer and a model where others build, train, save and load them."""

import numpy as np

from gradetape.checks import assert_close, assert_serializable, fill_weights, hint, in_worker, points


def draw(rng, batch):
    """Draw inputs of a random width, a number of units that is not that width, and a scale."""
    x = rng.normal(size=(batch, int(rng.integers(3, 8)))).astype("float32")
    return x, int(rng.integers(9, 14)), float(rng.uniform(0.2, 2))


def two_layers(x, kernel, bias, kernel_2, bias_2):
    """Return what a dense layer with ReLU and one without activation make of the inputs, in NumPy."""
    return np.maximum(x.astype("float64") @ kernel + bias, 0) @ kernel_2 + bias_2


def filled_layer(layer, units, x, rng):
    """Fill the layer's weights; return what its branch is before it is scaled."""
    n = x.shape[1]
    return two_layers(x, *fill_weights(layer, rng, (n, units), (units,), (units, n), (n,)))


def filled_model(model, units, x, rng):
    """Fill the model's weights; return its prediction and its reconstruction of x."""
    n = x.shape[1]
    kernel, bias, *heads = fill_weights(model, rng, (n, units), (units,), (units, 1), (1,), (units, n), (n,))
    return two_layers(x, kernel, bias, *heads[:2]), two_layers(x, kernel, bias, *heads[2:])


@points(1)
@hint("A Dense layer that `build` has made still has no weights: build it, with the shape that it will see.")
def test_build_makes_every_weight(student, rng):
    """`build` alone makes every weight, for the width that it is told."""
    for _ in range(2):
        x, units, scale = draw(rng, 4)
        layer, model = student.ScaledResidual(units, scale, 0.1), student.ReconstructingRegressor(units)
        layer.build((None, x.shape[1]))
        model.build((None, x.shape[1]))
        branch, (prediction, _) = filled_layer(layer, units, x, rng), filled_model(model, units, x, rng)
        assert_close(layer(x), x + scale * branch, atol=1e-4)  # float32 sums over the units, as below
        assert_close(model(x), prediction, atol=1e-4)


@points(1)
@hint("get_config returns the base class's configuration with every argument of yours added to it.")
def test_configuration(student, rng):
    """Both can be made again from their configuration."""
    x, units, scale = draw(rng, 4)
    rate, name = float(rng.uniform(0.2, 0.6)), f"part_{rng.integers(1000)}"
    layer = student.ScaledResidual(units, scale, rate, name=name)
    again = assert_serializable(layer, units=units, scale=scale, rate=rate, name=name)
    again(x)
    expected = x + scale * filled_layer(again, units, x, rng)
    assert_close(again(x), expected, atol=1e-4)
    again = assert_serializable(student.ReconstructingRegressor(units, weight=scale), units=units, weight=scale)
    again(x)
    _, reconstruction = filled_model(again, units, x, rng)
    again(x)
    assert_close(sum(map(float, again.losses)), scale * ((reconstruction - x) ** 2).mean(), rtol=1e-4)


@in_worker
def evaluations(model, x, y):
    """Return what the model reports for two data sets in turn, each of two batches."""
    model.compile(loss="mse", jit_compile=False)
    return [
        model.evaluate(*data, batch_size=len(x) // 2, verbose=0, return_dict=True) for data in zip(x, y, strict=True)
    ]


@points(1)
@hint("`evaluate` adds up what add_loss was given, and resets the metrics that are attributes of the model.")
def test_evaluate(student, rng):
    """`evaluate` tells the whole loss and the reconstruction error, of the data that it is given."""
    x, units, weight = draw(rng, 20)
    model, y = student.ReconstructingRegressor(units, weight=weight), rng.normal(size=(2, 10, 1)).astype("float32")
    model(x)
    prediction, reconstruction = filled_model(model, units, x, rng)
    errors = ((reconstruction - x) ** 2).reshape(2, -1).mean(axis=1)
    losses = ((prediction.reshape(y.shape) - y) ** 2).mean(axis=(1, 2)) + weight * errors
    told = evaluations(model, x.reshape(2, 10, -1), y)
    assert_close([part["reconstruction_error"] for part in told], errors, rtol=1e-4)
    assert_close([part["loss"] for part in told], losses, rtol=1e-4)


@in_worker
def one_step(model, x, y, rate):
    """Return the loss and the error that the first step of fit reports, and the biases after it, by their shapes."""
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(rate), jit_compile=False)
    told = model.fit(x, y, batch_size=len(x), verbose=0).history
    biases = {tuple(weight.shape): weight.numpy() for weight in model.trainable_weights if len(weight.shape) == 1}
    return told["loss"][0], told["reconstruction_error"][0], biases[1,], biases[x.shape[1:]]


@points(1)
@hint("The gradient of the whole loss must reach every layer. Is any step of `call` outside TensorFlow's operations?")
def test_fit(student, rng):
    """`fit` trains the prediction and, as much as the weight says, the reconstruction."""
    x, units, weight = draw(rng, 16)
    model, y = student.ReconstructingRegressor(units, weight=weight), rng.normal(size=(16, 1)).astype("float32")
    model(x)
    n = x.shape[1]
    kernel, bias, *heads = fill_weights(model, rng, (n, units), (units,), (units, 1), (1,), (units, n), (n,))
    wrong, forgotten = two_layers(x, kernel, bias, *heads[:2]) - y, two_layers(x, kernel, bias, *heads[2:]) - x
    loss, error, bias_1, bias_n = one_step(model, x, y, 0.1)
    assert_close([error, loss], [(forgotten**2).mean(), (wrong**2).mean() + weight * (forgotten**2).mean()], rtol=1e-4)
    assert_close(bias_1, heads[1] - 0.1 * 2 * wrong.mean(axis=0), atol=1e-4)
    assert_close(bias_n, heads[3] - 0.1 * weight * 2 * forgotten.mean(axis=0) / n, atol=1e-4)


@points(1)
@hint("load_weights fills only weights that are there. Which of your layers are not built by `build`?")
def test_saved_weights(student, rng, worker_tmp_path):
    """A new model that was only built takes over all weights of another."""
    x, units, weight = draw(rng, 8)
    model = student.ReconstructingRegressor(units, weight=weight)
    model(x)
    prediction, reconstruction = filled_model(model, units, x, rng)
    model.save_weights(str(worker_tmp_path / "model.weights.h5"))
    again = student.ReconstructingRegressor(units, weight=weight)
    again.build((None, x.shape[1]))
    again.load_weights(str(worker_tmp_path / "model.weights.h5"))
    assert_close(again(x), prediction, atol=1e-4)
    assert_close(sum(map(float, again.losses)), weight * ((reconstruction - x) ** 2).mean(), rtol=1e-4)


@points(1)
@hint("A loaded model makes your layer from its configuration and fills the weights that Keras knows of.")
def test_saved_within_a_model(student, keras, rng, worker_tmp_path):
    """A model with the layer in it is saved and loaded."""
    x, units, scale = draw(rng, 8)
    layer = student.ScaledResidual(units, scale, 0.3)
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    expected = x + scale * filled_layer(layer, units, x, rng)
    model.save(worker_tmp_path / "model.keras")
    names = {"ScaledResidual": student.ScaledResidual}
    again = keras.models.load_model(worker_tmp_path / "model.keras", custom_objects=names)
    assert_close(again(x), expected, atol=1e-4)
