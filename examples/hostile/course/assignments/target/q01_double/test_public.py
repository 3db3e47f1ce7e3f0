"""Public checks of double."""

from gradetape.checks import points


@points(1)
def test_two(student):
    """Twice two is four."""
    assert student.double(2) == 4
