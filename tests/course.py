"""A tiny course, submissions to it, and the command line, for tests of whole runs."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from gradetape.cli import main

_ROOT = Path(__file__).parents[1]
_TINY = Path(__file__).parent / "tiny_course"
_COMMAND = Path(sys.executable).with_name("gradetape")
DOUBLE = "def double(x):\n    return x + x"
HALVE = "def halve(x):\n    return x * 0.5"


def tiny(folder: Path) -> Path:
    """A copy of the tiny course: assignment `tiny` with q01_double (3 points) and q02_halve (2)."""
    return Path(shutil.copytree(_TINY, folder, ignore=shutil.ignore_patterns("__pycache__")))


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Writes texts to files below a folder, by their paths; returns the folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def notebook(*cells: str, assignment: str | None = "tiny") -> str:
    """The text of a notebook with these code cells."""
    metadata = {"gradetape": {"assignment": assignment}} if assignment else {}
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=metadata)
    return str(nbformat.writes(made))


def command(*arguments: str | Path) -> list[str]:
    """The command line of a gradetape verb."""
    return [str(_COMMAND), *map(str, arguments)]


def gradetape(course: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a verb in a course's folder, to its end."""
    return subprocess.run(command(*arguments), cwd=course, capture_output=True, text=True, timeout=900, check=False)


def recipe(target: str, *variables: str) -> list[str]:
    """The last command of a target of this project's Makefile, in words."""
    make = ["make", "--dry-run", "--no-print-directory", target, *variables]
    shown = subprocess.run(make, cwd=_ROOT, capture_output=True, text=True, check=True).stdout
    return shlex.split(shown.splitlines()[-1])


def called(course: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same in this process, without the time that Python takes to start."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv, signal.getsignal(signal.SIGTERM)
    sys.argv = list(map(str, ("gradetape", *arguments)))
    try:
        with contextlib.chdir(course), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        return subprocess.CompletedProcess(sys.argv, int(end.code or 0), out.getvalue(), err.getvalue())
    finally:
        sys.argv, _ = before
        signal.signal(signal.SIGTERM, before[1])


def by_student(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What `grade --json` says of each student."""
    submissions: list[dict[str, Any]] = json.loads(run.stdout)["submissions"]
    return {submission["student"]: submission for submission in submissions}
