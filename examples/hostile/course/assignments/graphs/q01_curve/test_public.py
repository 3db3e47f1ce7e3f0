"""Public checks of curve."""

import numpy as np

from gradetape.checks import assert_close, points


@points(1)
def test_of_two(student):
    """The curve of two is ten."""
    assert_close(student.curve(np.array([2.0], "float32")), [10.0])
