"""Public checks of twice."""

import numpy as np

from gradetape.checks import points


@points(1)
def test_a_word(student, tf):
    """A word is doubled."""
    assert np.asarray(student.twice(tf.constant("ab"))).item() == b"abab"
