from gradetape.checks import points


@points(1)
def test_odd_number(student):
    """Half of an odd number is not cut."""
    assert student.halve(5) == 2.5
