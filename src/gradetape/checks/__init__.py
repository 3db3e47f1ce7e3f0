"""The vocabulary that checks import."""

from gradetape.checks.marks import gpu, hint, limit, points

__all__ = ["gpu", "hint", "limit", "points"]
