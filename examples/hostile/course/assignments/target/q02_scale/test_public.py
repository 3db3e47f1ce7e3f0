"""Public checks of Scale."""

import numpy as np

from gradetape.checks import assert_close, points


@points(1)
def test_three_times(student, tf):
    """Three times one is three."""
    assert_close(student.Scale(3.0)(tf.ones((2, 2))), np.full((2, 2), 3.0))
