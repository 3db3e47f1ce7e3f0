"""The marks that `judge.registry` declares, and the decorator for functions that run in the worker."""

from __future__ import annotations

import pytest

from gradetape.remote.functions import WorkerFunction
from gradetape.remote.handles import InvalidArgumentError

points = pytest.mark.points
hint = pytest.mark.hint
proves = pytest.mark.proves
limit = pytest.mark.limit
gpu = pytest.mark.gpu
in_worker = WorkerFunction

__all__ = ["InvalidArgumentError", "gpu", "hint", "in_worker", "limit", "points", "proves"]
