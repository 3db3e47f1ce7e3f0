"""Hidden checks of twice."""

import numpy as np

from gradetape.checks import limit, points

SECRET = "CANARY"
INPUT = "BAIT"


@points(2)
@limit(10)
def test_any_text(student, exported, tf):
    """Any text is doubled."""
    twice = exported.if_possible(twice=[tf.TensorSpec([], tf.string)]).twice
    assert np.asarray(twice(tf.constant(INPUT))).item() == 2 * INPUT.encode(), "not the text two times"
