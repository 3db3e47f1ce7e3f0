"""Batches on a simulated Ray cluster: a head and some nodes on this machine, started by `tests.engines.ray_nodes`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.course import command
from tests.leftovers import groups_left, until

TESTS = Path(__file__).parent


@dataclass(frozen=True)
class Simulated:
    """A cluster: its address, the raylets of its nodes, the variables that a grader needs, and its temporary folder."""

    address: str
    pids: list[int]
    variables: Mapping[str, str]
    folder: Path

    def grade(self, course: Path, *arguments: str | Path) -> subprocess.Popen[str]:
        """Starts `gradetape grade` on the cluster."""
        verb = command("grade", "--engine", "ray", "--address", self.address, *arguments)
        return subprocess.Popen(
            verb, cwd=course, env=dict(self.variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def graded(self, course: Path, *arguments: str | Path) -> str:
        """The JSON of a batch that was graded on three nodes, to its end."""
        run = self.grade(course, *arguments, "--json")
        found, errors = run.communicate()
        assert run.returncode in (0, 1) and "Ray judges 3 at the same time on" in errors, errors
        return found


def variables_of(folder: Path, token: str | None) -> dict[str, str]:
    """The environment of a cluster's processes, whose temporary files are in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    kept |= {"TMPDIR": str(folder), "HOME": str(folder), "RAY_NODES_FOLDER": str(folder / "ray")}
    kept |= {"RAY_memory_monitor_refresh_ms": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    if token is not None:
        path = folder / "token"
        path.touch(0o600)
        path.write_text(token)
        kept |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}
    return kept


@contextmanager
def simulated(nodes: int, token: str | None) -> Iterator[Simulated]:
    """A cluster with a short path for its sockets; at the end nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="rt-", dir="/tmp", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        variables, before = variables_of(folder, token), set(groups_left())
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.ray_nodes", str(nodes)], cwd=TESTS.parent, env=variables,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin and process.stdout
        try:
            started = json.loads(next(line for line in process.stdout if line.startswith("{")))
            yield Simulated(started["address"], started["pids"], variables, folder)
        finally:
            process.stdin.close()
            process.wait(120)
            process.stdout.close()
        assert until(lambda: not graders(folder), 120), graders(folder)
        assert list(folder.glob("gradetape-*")) == []
        assert set(groups_left()) <= before


def graders(folder: Path) -> list[str]:
    """The processes that have this folder for their temporary files, or have their socket there."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("TMPDIR") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return found
