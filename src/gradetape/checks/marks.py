"""The marks of a check: its points, its hint, its own time limit, and whether it needs a GPU."""

from __future__ import annotations

import pytest

points = pytest.mark.points
hint = pytest.mark.hint
limit = pytest.mark.limit
gpu = pytest.mark.gpu
