"""Public checks, one for each thing that a student may read."""

import pytest

from gradetape.checks import points


@points(1)
@pytest.mark.parametrize("name", ["good", "wrong", "error", "status", "undefined", "printer"])
def test_public(student, name):
    """It is three."""
    assert getattr(student, name)() == 3
