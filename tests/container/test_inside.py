"""A container from inside: what is visible, and which limits hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradetape.errors import Gone
from gradetape.records import Slot
from gradetape.runtime.container import ContainerSpec, ContainerZygote
from gradetape.runtime.image import check
from tests.remote_sessions import LIMITS, OpenSession, open_session

INSIDE = (Path(__file__).parents[1] / "verdicts" / "inside.py").read_text()


@pytest.fixture(scope="module")
def loaded(zygote: ContainerZygote) -> Iterator[OpenSession]:
    with open_session(zygote, INSIDE) as opened:
        opened.session.ready()
        assert opened.session.report.events == []
        yield opened


@pytest.fixture
def inside(loaded: OpenSession) -> Any:
    """A student's functions that look around."""
    loaded.begin()
    return loaded.student


def test_every_isolation_layer_and_limit_of_the_container_is_as_required(
    container: ContainerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = {each.what: each for each in check(container, LIMITS, Slot())}
    assert [each for each in found.values() if not each.ok] == []
    assert set(found) == {
        "image", "network", "root", "capabilities", "privileges", "secrets", "memory", "processes", "worker",
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == [], "what podman writes where it was started, if memory runs out"


def test_the_layers_are_reported(loaded: OpenSession) -> None:
    assert {"plain", "uid", "no_new_privs", "landlock", "seccomp", "memory of the container"} <= set(
        loaded.session.report.layers
    )


def test_a_submission_reaches_neither_the_network_nor_the_zygote(inside: Any) -> None:
    assert inside.connects("inet", "192.0.2.1", 80) is False
    assert inside.connects("inet", "127.0.0.1", 22) is False
    assert inside.connects("unix", "/run/gradetape/zygote") is False
    assert inside.interfaces() in (["lo"], [])


def test_a_submission_writes_only_into_its_own_folder(inside: Any) -> None:
    outside = ("/", "/usr", "/etc", "/run/gradetape", "/tmp", "/dev/shm")
    assert [folder for folder in outside if inside.writes(folder) == "written"] == []
    assert inside.writes(".") == "written"


def test_a_submission_reads_nothing_of_the_host_or_of_other_processes(inside: Any) -> None:
    assert inside.reads("/etc/shadow") == ""
    assert inside.reads("/proc/1/environ") == inside.reads("/proc/1/cmdline") == ""
    assert not inside.exists(str(Path(__file__)))
    assert set(inside.environment()) & {"HOME", "TMPDIR"}
    assert not [name for name in inside.environment() if name.startswith(("GRADETAPE", "PYTEST", "SSH"))]


def test_memory_that_runs_out_costs_the_worker_and_not_the_container(zygote: ContainerZygote) -> None:
    bomb = "def grow():\n    held = []\n    while True:\n        held.append(bytearray(b'x' * (1 << 26)))"
    with open_session(zygote, bomb) as opened:
        with pytest.raises(Gone) as caught:
            opened.student.grow()
        assert caught.value.cause == "memory"
        opened.begin()
        opened.session.ready()
        assert not zygote.ended(0)


def test_processes_without_end_cost_the_worker_and_not_the_container(zygote: ContainerZygote) -> None:
    bomb = "import os\ndef spread():\n    while True:\n        os.fork()"
    with open_session(zygote, bomb) as opened:
        opened.begin(5)
        with pytest.raises((Gone, OSError)):
            opened.student.spread()
    with open_session(zygote, "def fine():\n    return 3") as opened:
        assert opened.student.fine() == 3


def test_the_worker_reports_what_it_computes_on(zygote: ContainerZygote) -> None:
    with open_session(zygote, "x = 1") as opened:
        opened.session.ready()
        assert opened.session.report.devices == ()
        assert opened.session.report.versions["tensorflow"].startswith("2.")


def test_a_submission_is_nobody_with_no_capability_and_ends_nobody_else(inside: Any) -> None:
    status = inside.status()
    assert int(status["Uid"].split()[0]) >= 64001
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapAmb")} == {0}
    assert [inside.becomes_root(), inside.signals_its_parent(), inside.mounts_something()] == ["refused"] * 3
