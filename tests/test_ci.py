"""The script that CI runs, with a `make` that only says what it was asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Nobody in particular: as root the script installs what is missing, and starts a database server.
PROGRAMS = {"id": "echo 1000", "make": 'echo "asked for $*"\n[ "$*" != "$FAILING" ]'}
LAST = "asked for image-ci\n"


def ran(tmp_path: Path, failing: str = "") -> subprocess.CompletedProcess[str]:
    """The whole run, in which one step fails."""
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "FAILING": failing}
    return subprocess.run([ROOT / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False)


def table(run: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The result of each step, by the command."""
    rows = run.stdout.partition("\nresult ")[2].splitlines()[1:]
    return {row.split(maxsplit=4)[4]: row.split()[0] for row in rows if not row.startswith("FAILED:")}


def test_where_every_step_passes_the_run_does(tmp_path: Path) -> None:
    run = ran(tmp_path)
    assert (run.returncode, set(table(run).values())) == (0, {"passed"}), run.stderr
    assert len(table(run)) == run.stdout.count("asked for ") and LAST in run.stdout and "FAILED" not in run.stdout


@pytest.mark.parametrize("step", ["test", "image-ci"])
def test_a_step_that_fails_ends_nothing_and_fails_the_run(tmp_path: Path, step: str) -> None:
    run = ran(tmp_path, step)
    assert run.returncode == 1 and LAST in run.stdout
    assert [name for name, result in table(run).items() if result == "FAILED"] == [f"make {step}"]
    assert run.stdout.endswith(f"\nFAILED: make {step}\n")


def test_a_fault_of_style_ends_the_run(tmp_path: Path) -> None:
    run = ran(tmp_path, "check")
    assert (run.returncode, table(run)) == (1, {"make check": "FAILED"})
