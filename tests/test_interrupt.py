"""Ctrl-C reports the grades that are kept, and never shows a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.course import called, command, tiny
from tests.processes import until

_IGNORING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"


def test_ctrl_c_while_the_command_starts_shows_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for line in (command("--help"), [sys.executable, "-m", "gradetape", "--help"]):
        run = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stdout, run.stderr) == (130, "", "Interrupted.\n")


def test_sigterm_ends_a_command_of_which_the_shell_ignores_ctrl_c(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    (root / "ada.py").write_text("while True: pass\n")
    line = [sys.executable, "-c", _IGNORING, *command("grade", "ada.py", "--assignment", "tiny")]
    with subprocess.Popen(line, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        until(lambda: (root / "results").is_dir())
        process.terminate()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "\nInterrupted." in output


def test_ctrl_c_speaks_of_grades_only_where_there_are_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    root = tiny(tmp_path / "course")
    (root / "ada.py").write_text("")
    monkeypatch.setattr("gradetape.cli.proving.prove", interrupted)
    run = called(root, "verify")
    assert (run.returncode, run.stderr.strip()) == (130, "Interrupted.")
    monkeypatch.setattr("gradetape.grading.batch.BatchGrader.run", interrupted)
    run = called(root, "grade", "ada.py", "--assignment", "tiny")
    assert run.returncode == 130
    assert run.stderr.endswith("Interrupted. The grades so far are kept. Run the same command to continue.\n")
