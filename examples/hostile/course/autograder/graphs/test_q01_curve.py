"""Hidden checks of curve. CANARY stands here for every secret that a hidden check may hold."""

from gradetape.checks import assert_close, limit, ops_in, points

SECRET = "CANARY"


@points(2)
@limit(10)  # a graph is exported, and loaded by a process that may be new
def test_as_a_graph(student, exported, tf, rng):
    """It works as a graph, without Python."""
    x, vector = rng.normal(size=20).astype("float32"), tf.TensorSpec([None], "float32")
    graphs = exported(curve=[vector])
    assert_close(graphs.curve(x), x * x + 3 * x, rtol=1e-4, atol=1e-5)
    assert "PyFunc" not in " ".join(ops_in(graphs.curve, vector))


@points(1)
@limit(10)
def test_the_same_graph(student, exported, tf, rng):
    """The same graph, used once more."""
    x = rng.normal(size=3).astype("float32")
    assert_close(exported(curve=[tf.TensorSpec([None], "float32")]).curve(x), x * x + 3 * x, rtol=1e-4, atol=1e-5)
