"""Public checks of total."""

import numpy as np

from gradetape.checks import assert_close, points


@points(1)
def test_three_and_four(student):
    """Nine and sixteen are twenty-five."""
    assert_close(student.total(np.array([3.0, 4.0], "float32")), 25.0)
