"""The vocabulary that checks import."""

from gradetape.checks.marks import InvalidArgumentError, far_side, gpu, hint, limit, points

__all__ = ["InvalidArgumentError", "far_side", "gpu", "hint", "limit", "points"]
