"""What a worker on a GPU can reach of the NVIDIA driver: the nodes of its own card. The nodes here are stand-ins."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from examples.hostile.delegation import NO_NAMESPACES, on_a_lesser_machine, open_to_others
from gradetape.records import Cell, Slot
from gradetape.remote.budget import CheckBudget
from gradetape.remote.roles import STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote
from gradetape.sandbox import syscalls
from gradetape.sandbox.driver import access
from tests.remote_sessions import LIMITS, open_session, started

ONE, OTHER = "GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f", "GPU-9a8b7c6d-1111-2222-3333-444455556666"
CARD = Slot(device=ONE, card=ONE)
SLICE = Slot(device="MIG-0f1e2d3c-aaaa-bbbb-cccc-ddddeeeeffff", card=OTHER)
INFORMATION = """Model: \t\t NVIDIA A100-SXM4-40GB
IRQ:   \t\t 52
GPU UUID: \t {uuid}
Bus Location: \t 0000:0{minor}:00.0
Device Minor: \t {minor}
GPU Excluded:\t No
"""
NAMES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia0", "nvidia1")
LOOK = """
import os, threading

def opens(path):
    try:
        os.close(os.open(path, os.O_RDWR))
    except OSError:
        return False
    return True

names = ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia0", "nvidia1"]
opened = [name for name in names if opens("/dev/" + name)]
try:
    with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as file:
        file.write("a name")
    opened.append("comm")
except OSError:
    pass
try:
    os.sched_getaffinity(os.getpid())
    opened.append("affinity")
except OSError:
    pass
"""


def machine(folder: Path) -> tuple[Path, Path]:
    """Folders like /dev and the driver's list of cards; the first card has the second node."""
    dev, cards = folder / "dev", folder / "gpus"
    (dev / "nvidia-caps").mkdir(parents=True)
    for name in (*NAMES, "nvidia-caps/nvidia-cap21", "nvidia-caps/nvidia-cap22"):
        (dev / name).touch()
    list_cards(cards)
    return dev, cards


def list_cards(folder: Path) -> None:
    for minor, uuid in ((1, ONE), (0, OTHER)):
        (folder / f"0000:0{minor}:00.0").mkdir(parents=True)
        (folder / f"0000:0{minor}:00.0" / "information").write_text(INFORMATION.format(uuid=uuid, minor=minor))


def names(slot: Slot, dev: Path, cards: Path) -> list[str]:
    return [str(Path(path).relative_to(dev)) for path in access(slot, dev, cards).nodes]


def test_a_worker_gets_the_nodes_of_its_own_card_and_no_other(tmp_path: Path) -> None:
    assert names(CARD, *machine(tmp_path)) == ["nvidiactl", "nvidia-uvm", "nvidia1"]


def test_a_worker_on_a_slice_gets_its_card_and_the_nodes_of_slices(tmp_path: Path) -> None:
    assert names(SLICE, *machine(tmp_path)) == [
        "nvidiactl", "nvidia-uvm", "nvidia0", "nvidia-caps/nvidia-cap21", "nvidia-caps/nvidia-cap22"
    ]  # fmt: skip


def test_a_worker_on_the_cpu_gets_none(tmp_path: Path) -> None:
    assert names(Slot(), *machine(tmp_path)) == []


def test_where_the_driver_lists_no_cards_the_nodes_are_those_of_the_container(tmp_path: Path) -> None:
    dev, _ = machine(tmp_path)
    assert names(CARD, dev, tmp_path / "nothing") == ["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1"]


def test_a_card_that_the_driver_describes_in_another_way_is_not_taken_for_another_one(tmp_path: Path) -> None:
    dev, cards = machine(tmp_path)
    for file in cards.glob("*/information"):
        file.write_text("GPU UUID: \t ???\n")
    assert names(CARD, dev, cards) == ["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1"]


def stand_ins() -> None:
    """A /dev with nodes like those of the driver, and the list of cards; only for what is started from here."""
    syscalls.mount("tmpfs", "/dev", "tmpfs", 0, "mode=755")
    os.umask(0)
    for name, minor in {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9, **dict.fromkeys(NAMES, 5)}.items():
        os.mknod(f"/dev/{name}", 0o666 | stat.S_IFCHR, os.makedev(1, minor))
    syscalls.mount("tmpfs", "/proc/driver", "tmpfs", 0, "mode=755")
    list_cards(Path("/proc/driver/nvidia/gpus"))
    os.umask(0o022)


def opened(slot: Slot, *rules: tuple[Any, ...], prepare: Callable[[], None] = stand_ins) -> list[str]:
    """The nodes that a student's code in a slot can open, and what else CUDA does that it can do."""
    budget = CheckBudget()
    budget.begin(60)
    gpu = bool(slot.device)
    with on_a_lesser_machine(lambda: LocalZygote(LIMITS, secret=(), gpu=gpu), *rules, prepare=prepare) as zygote:
        zygote.wait_ready()
        with closing(ZygoteClient(zygote.path)) as control:
            session = RemoteSession(control, STUDENT, (Cell(source=LOOK),), LIMITS, budget)
            control.slot = slot  # the session itself expects no card: TensorFlow sees none here
            with closing(session):
                return list(session.names().opened)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make nodes")
@pytest.mark.parametrize("rules", [(), NO_NAMESPACES], ids=["namespaces", "without namespaces"])
def test_students_code_has_what_cuda_needs_of_its_card_and_nothing_of_another(rules: tuple[Any, ...]) -> None:
    def prepare() -> None:
        open_to_others()
        stand_ins()

    assert opened(CARD, *rules, prepare=prepare) == ["nvidiactl", "nvidia-uvm", "nvidia1", "comm", "affinity"]
    assert opened(Slot(), *rules, prepare=prepare) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="as root, the sandbox does not depend on this machine's settings")
def test_the_folder_of_an_operators_cuda_can_be_read_also_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "targets" / "lib"
    library.mkdir(parents=True)
    (library / "libcudart.so.12").touch()
    (tmp_path / "lib64").symlink_to(library)
    monkeypatch.setenv("LD_LIBRARY_PATH", f":{tmp_path / 'lib64'}:{tmp_path / 'missing'}")
    look = "import os\npath = os.environ['LD_LIBRARY_PATH']\nfound = os.listdir(path)"
    with started(gpu=True) as zygote, open_session(zygote, look) as opened:
        assert (opened.student.path, list(opened.student.found)) == (str(library), ["libcudart.so.12"])
