"""The start and end of a container: it is always removed, and it has the requested devices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradetape.errors import DeviceError, EngineError
from gradetape.records import Slot
from gradetape.runtime import container as containers
from gradetape.runtime.container import ContainerSpec, ContainerZygote, hardened_run, run_engine
from tests.course import command, notebook, tiny
from tests.remote_sessions import LIMITS, open_session

FAKE = Slot(device="GPU-fake", cdi="gradetape.test/gpu=0")
SPECIFICATION = {
    "cdiVersion": "0.5.0",
    "kind": "gradetape.test/gpu",
    "devices": [
        {
            "name": "0",
            "containerEdits": {
                "env": ["GRADETAPE_FAKE_GPU=yes"],
                "deviceNodes": [{"path": "/dev/nvidia0", "type": "c", "major": 1, "minor": 3}],
            },
        }
    ],
}


def names(container: ContainerSpec) -> set[str]:
    """The containers of gradetape that there are."""
    return set(run_engine(container.engine.names()).stdout.split())


def until_gone(container: ContainerSpec, gone: set[str], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while gone & names(container):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_a_container_is_there_while_it_is_used_and_gone_after(container: ContainerSpec) -> None:
    before = names(container)
    with ContainerZygote(LIMITS, container, slot=Slot()) as zygote:
        zygote.wait_ready()
        mine = names(container) - before
        assert len(mine) == 1
    assert until_gone(container, mine)


def test_a_container_that_is_given_up_while_it_starts_is_removed_too(container: ContainerSpec) -> None:
    before = names(container)
    ContainerZygote(LIMITS, container, slot=Slot()).close()
    assert until_gone(container, names(container) - before)


def test_a_killed_grader_leaves_no_container_behind(container: ContainerSpec, tmp_path: Path) -> None:
    course = tiny(tmp_path / "course")
    settings = f"container: {{engine: {container.engine.name}, image: {container.image}}}\n"
    (course / "grader_config.yml").write_text(settings)
    (course / "endless.ipynb").write_text(notebook("while True:\n    pass"))
    before = names(container)
    grader = subprocess.Popen(
        command("grade", "endless.ipynb", "--isolation", "container", "--device", "cpu"), cwd=course,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not names(container) - before and time.monotonic() < deadline:
        time.sleep(0.2)
    mine = names(container) - before
    assert mine
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    assert until_gone(container, mine)


def test_what_a_dead_grader_left_is_removed_by_the_next_and_what_a_living_one_has_is_not(
    container: ContainerSpec, tmp_path: Path
) -> None:
    orphan, mine = f"gradetape-{_dead()}-1-0000abcd", containers.container_name()
    running = [_idle(container, tmp_path, name) for name in (orphan, mine)]
    try:
        assert containers.sweep(container.engine) == (orphan,)
        assert orphan not in names(container)
        assert mine in names(container)
    finally:
        run_engine(container.engine.remove(orphan, mine))
        for process in running:
            process.kill()
            process.communicate()


def _dead() -> int:
    """The id of a process that is no more."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


def _idle(container: ContainerSpec, folder: Path, name: str) -> subprocess.Popen[bytes]:
    """A container that waits to be removed."""
    run = hardened_run(LIMITS, container, folder, "gradetape.worker.zygote", slot=Slot())
    argv = [name if word == run.name else word for word in container.engine.run(run)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while name not in names(container) and time.monotonic() < deadline:
        time.sleep(0.2)
    return process


def test_a_missing_image_is_an_error_with_advice(container: ContainerSpec) -> None:
    with pytest.raises(EngineError, match="gradetape image build"):
        containers.image_id(container.engine, "localhost/gradetape-is-not-there")


@pytest.fixture
def fake_gpu(container: ContainerSpec) -> Iterator[Slot]:
    """A CDI device that is no GPU, for podman."""
    if container.engine.name != "podman" or os.geteuid() != 0:
        pytest.skip("a CDI device is declared in /etc/cdi, as root, and taken by podman")
    file = Path("/etc/cdi/gradetape-test.json")
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(SPECIFICATION))
    yield FAKE
    file.unlink()


def test_a_device_that_is_asked_for_by_its_cdi_name_is_in_the_container(
    container: ContainerSpec, fake_gpu: Slot, tmp_path: Path
) -> None:
    def seen(slot: Slot) -> list[str]:
        run = hardened_run(LIMITS, container, tmp_path, "gradetape.worker.probe", "look", slot=slot)
        return list(json.loads(run_engine(container.engine.run(run)).stdout)["accelerators"])

    assert seen(fake_gpu) == ["/dev/nvidia0"]
    assert seen(Slot()) == []


def test_a_gpu_that_tensorflow_does_not_see_is_an_error_and_never_the_cpu(
    container: ContainerSpec, fake_gpu: Slot
) -> None:
    with ContainerZygote(LIMITS, container, slot=fake_gpu) as zygote:
        zygote.wait_ready()
        with (
            open_session(zygote, "x = 1", slot=fake_gpu) as opened,
            pytest.raises(DeviceError, match="TensorFlow does not see the GPU"),
        ):
            opened.session.ready()
