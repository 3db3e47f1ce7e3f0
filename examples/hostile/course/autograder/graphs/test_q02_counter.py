"""Hidden checks of Counter."""

from gradetape.checks import assert_close, limit, points

SECRET = "CANARY"


@points(2)
@limit(10)
def test_in_a_graph(student, exported, tf, rng):
    """Its state goes along."""
    x, vector = rng.normal(size=(3, 4)).astype("float32"), tf.TensorSpec([None], "float32")
    counter = student.Counter()
    graphs = exported(add=(counter.add, [vector]), result=(counter.result, []))
    for row in x:
        graphs.add(row)
    assert_close(graphs.result(), x.sum(), rtol=1e-3, atol=1e-4)
