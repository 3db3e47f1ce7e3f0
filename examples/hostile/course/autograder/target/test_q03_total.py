"""Hidden checks of total."""

from gradetape.checks import assert_close, points

SECRET = "CANARY"


@points(1)
def test_as_the_reference(student, reference, rng):
    """Any numbers are summed."""
    numbers = rng.normal(size=20).astype("float32")
    assert_close(student.total(numbers), reference.total(numbers), rtol=1e-4)
