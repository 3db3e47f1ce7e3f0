"""Quiet stand-ins for a notebook's environment: IPython's magics, `display`, otter's `grader`."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable
from typing import Any

_WRAPS_A_LINE = frozenset({"time", "timeit", "prun"})
_OPTIONS = re.compile(r"^(?:-[a-zA-Z]\s*\w*\s+)+")
_WRAPS_A_CELL = frozenset({"time", "timeit", "prun", "capture"})


class QuietShell:
    """Stands in for IPython's shell: a magic with code runs the code, every other magic does nothing."""

    def __init__(self, run: Callable[[str], None]) -> None:
        self._run = run

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> None:
        """`%time x = f()` runs its statement; `%matplotlib inline` does nothing."""
        if name in _WRAPS_A_LINE:
            self._run(line if name == "time" else _OPTIONS.sub("", line))

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """`%%time` runs its cell; `%%html` does nothing."""
        if name in _WRAPS_A_CELL:
            self._run(cell)

    def system(self, command: str) -> None:
        """Shell lines do nothing."""

    def getoutput(self, command: str, *_: Any, **__: Any) -> list[str]:
        """A shell line whose output is assigned returns no lines."""
        return []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


class QuietGrader:
    """Stands in for the notebook's own `otter.Notebook`: the notebook's checks are not run again."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


def _nothing(*_: Any, **__: Any) -> None:
    return None


def furnish(namespace: dict[str, Any], run: Callable[[str], None]) -> None:
    """Puts the stand-ins into a namespace, and a quiet `otter` where `import otter` finds it."""
    shell = QuietShell(run)
    otter = types.ModuleType("otter")
    otter.__dict__.update(Notebook=QuietGrader, __version__="0")
    sys.modules["otter"] = otter
    namespace.update(get_ipython=lambda: shell, display=_nothing, grader=QuietGrader())
