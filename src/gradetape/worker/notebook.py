"""A quiet stand-in for otter's `grader`: the checks in the notebook are not run again."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any


class QuietGrader:
    """Stands in for the notebook's own `otter.Notebook`: the notebook's checks are not run again."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


def _nothing(*_: Any, **__: Any) -> None:
    return None


def furnish(namespace: dict[str, Any]) -> None:
    """Puts a `grader` into a namespace, and a quiet `otter` where `import otter` finds it."""
    otter = types.ModuleType("otter")
    otter.__dict__.update(Notebook=QuietGrader, __version__="0")
    sys.modules["otter"] = otter
    namespace.update(grader=QuietGrader())
