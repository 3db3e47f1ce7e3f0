"""Hidden checks of Scale."""

from gradetape.checks import assert_close, in_worker, points

SECRET = "CANARY"


@in_worker
def saved(scale, folder):
    """Saves the module with a signature of unknown size."""
    call = tf.function(lambda x: scale(x), input_signature=[tf.TensorSpec([None], tf.float32)])
    module = tf.Module()
    module.scale, module.call = scale, call
    tf.saved_model.save(module, folder)


@in_worker
def answer(folder, numbers):
    """What a saved module answers."""
    return tf.saved_model.load(folder).call(tf.constant(numbers, tf.float32))


@points(2)
def test_works_elsewhere(student, clean, rng, worker_tmp_path):
    """Saved, it works where the class is unknown."""
    factor, numbers = float(rng.normal()), rng.normal(size=5).astype("float32")
    saved(student.Scale(factor), str(worker_tmp_path / "scale"))
    folder = clean.copy(worker_tmp_path / "scale")
    assert_close(clean.run(answer, str(folder), numbers), factor * numbers)
