"""Lies beside a notebook that nbgrader runs, and runs there the checks that were written for otter, without otter."""

from __future__ import annotations

import importlib
from typing import Any


class Case:
    """What a test file takes from otter: a named case with points."""

    def __init__(self, name: str, points: float) -> None:
        self.name = name
        self.points = points


def check(file: str, name: str, notebook: dict[str, Any]) -> None:
    """Runs a check of a file on the notebook's names; raises what is wrong."""
    getattr(importlib.import_module(file), name).call_func(notebook)
