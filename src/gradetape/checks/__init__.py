"""The vocabulary that checks import."""

from gradetape.checks.marks import InvalidArgumentError, far_side, gpu, hint, limit, points
from gradetape.checks.vocabulary import (
    assert_close,
    assert_grads_flow,
    assert_learns,
    assert_serializable,
    assert_streams,
    assert_tensor,
    fill_weights,
    ops_in,
    raises,
)

__all__ = [
    "InvalidArgumentError",
    "assert_close",
    "assert_grads_flow",
    "assert_learns",
    "assert_serializable",
    "assert_streams",
    "assert_tensor",
    "far_side",
    "fill_weights",
    "gpu",
    "hint",
    "limit",
    "ops_in",
    "points",
    "raises",
]
