"""Public checks of total."""

import numpy as np

from gradetape.checks import assert_close, limit, points


@points(1)
@limit(12)  # memory takes a while to fill, and the verdict should name it
def test_three_and_four(student):
    """Nine and sixteen are twenty-five."""
    assert_close(student.total(np.array([3.0, 4.0], "float32")), 25.0)
