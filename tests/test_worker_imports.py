"""A worker loads nothing of the judge, and answers every operation of the protocol."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gradetape.wire.operations import Operation

PACKAGE = Path(__file__).parents[1] / "src" / "gradetape"
FORBIDDEN = (
    "gradetape.remote", "gradetape.judge", "gradetape.runtime", "gradetape.course", "gradetape.grading",
    "gradetape.engine", "pytest",
)  # fmt: skip
# As the zygote is started; the answer goes to descriptor 1, since a worker keeps what is printed.
LOOK = """
import gradetape.worker.zygote, gradetape.worker.worker
import json, os, socket, sys
worker = gradetape.worker.worker.Worker(socket.socketpair()[0], 1000)
found = {
    "modules": sorted(sys.modules),
    "operations": sorted(worker._operations),
    "unknown": worker._answer("no such operation", []),
}
os.write(1, json.dumps(found).encode())
"""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-P", "-s", "-c", LOOK],
        env={"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    loaded: dict[str, Any] = json.loads(run.stdout)
    return loaded


def test_a_worker_loads_nothing_of_the_judges(found: dict[str, Any]) -> None:
    assert "gradetape.worker.worker" in found["modules"]
    assert [name for name in found["modules"] if f"{name}.".startswith(tuple(f"{each}." for each in FORBIDDEN))] == []


def test_a_worker_has_exactly_the_operations_of_the_protocol(found: dict[str, Any]) -> None:
    assert found["operations"] == sorted(Operation)


def test_a_worker_answers_an_unknown_operation_with_an_error(found: dict[str, Any]) -> None:
    kind, chain, name, text, traceback = found["unknown"]
    assert (kind, name, text, traceback) == ("raised", "KeyError", "'no such operation'", "")
    assert chain[0] == "KeyError"


def written(file: Path) -> list[str]:
    """The attributes that a file assigns to."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return [ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]


def test_a_budget_is_changed_by_its_own_methods_alone() -> None:
    names = {f"budget.{name}" for name in ("deadline", "event", "received", "broken")}
    places = [(file.name, target) for file in PACKAGE.rglob("*.py") for target in written(file)]
    assert [place for place in places if place[1].endswith(tuple(names))] == []


def asked(file: Path) -> list[str]:
    """What a file asks a worker for."""
    calls = (node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return [ast.unparse(node.args[0]) for node in calls if getattr(node.func, "attr", "") == "ask" and node.args]


def test_operations_are_asked_for_by_their_names_in_the_enum() -> None:
    found = [
        each for package in ("remote", "judge") for file in (PACKAGE / package).glob("*.py") for each in asked(file)
    ]
    names = {f"Operation.{member.name}" for member in Operation}
    assert set(found) <= names | {"name"} and len(set(found) & names) > 15
