from gradetape.checks import points


@points(1)
def test_four(student):
    """Half of four is two."""
    assert student.halve(4) == 2
