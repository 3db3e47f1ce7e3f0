"""Hidden checks of double. CANARY stands here for every secret that a hidden check may hold."""

import numpy as np

from gradetape.checks import hint, points

SECRET = "CANARY"
INPUT = "BAIT"


@points(1)
@hint("Does it work for numbers that are not whole?")
def test_any_number(student, rng):
    """Any number is doubled."""
    secret = SECRET  # in a frame, too
    number = float(rng.normal()) + len(secret)
    assert student.double(number) == 2 * number


@points(1)
def test_text_and_arrays(student, rng):
    """Texts and arrays are doubled."""
    assert student.double(INPUT) == INPUT * 2, "not twice the text"
    numbers = rng.normal(size=50)
    np.testing.assert_allclose(student.double(numbers), 2 * numbers)
    assert [*student.double([1, 2])] == [1, 2, 1, 2], "not twice the list"
