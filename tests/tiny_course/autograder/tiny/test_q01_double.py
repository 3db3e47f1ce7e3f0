from gradetape.checks import hint, points


@points(2)
@hint("Does it work for numbers that are not whole?")
def test_any_number(student, rng):
    """Any number is doubled."""
    number = float(rng.normal())
    assert student.double(number) == 2 * number
