"""The names that checks import."""

from gradetape.checks.marks import (
    InvalidArgumentError,
    by_testimony,
    cross_checked,
    gpu,
    hint,
    in_worker,
    limit,
    points,
    proves,
)
from gradetape.checks.vocabulary import (
    assert_close,
    assert_distributed,
    assert_each,
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
    "assert_distributed",
    "assert_each",
    "assert_grads_flow",
    "assert_learns",
    "assert_serializable",
    "assert_streams",
    "assert_tensor",
    "by_testimony",
    "cross_checked",
    "fill_weights",
    "gpu",
    "hint",
    "in_worker",
    "limit",
    "ops_in",
    "points",
    "proves",
    "raises",
]
