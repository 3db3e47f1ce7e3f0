"""Refuses to grade where a worker could read the results or the submissions.

A worker sees the system's libraries, the interpreter and its packages, and nothing else of the machine. So a path is
hidden unless it is inside one of these. It is checked here and not in the worker, which would then know the path.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable
from pathlib import Path

from gradetape.sandbox.root import refuse_secrets, visible

# Read early: a library that is imported later, such as Ray, may put a folder of its own first.
_SCRIPT = () if sys.flags.safe_path else tuple(sys.path[:1])


def refuse_visible(paths: Iterable[Path]) -> None:
    """Raises SandboxError if one of these files or folders is inside a folder that workers can read."""
    refuse_secrets(tuple(map(str, paths)), visible(_paths_of_zygotes()))


def _paths_of_zygotes() -> list[str]:
    """`sys.path` without what a zygote does not have: the script's folder, PYTHONPATH, and the user's packages."""
    own = [*_SCRIPT, *os.environ.get("PYTHONPATH", "").split(os.pathsep), site.getusersitepackages()]
    return [path for path in sys.path if path not in own]
