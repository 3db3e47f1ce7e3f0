"""The marks of a check: points, hint, time limit, whether it needs a GPU, and what runs beyond the wall."""

from __future__ import annotations

import pytest

from gradetape.wire.functions import FarFunction
from gradetape.wire.handles import InvalidArgumentError

points = pytest.mark.points
hint = pytest.mark.hint
limit = pytest.mark.limit
gpu = pytest.mark.gpu
far_side = FarFunction

__all__ = ["InvalidArgumentError", "far_side", "gpu", "hint", "limit", "points"]
