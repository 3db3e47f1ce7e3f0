"""The devices of a machine and the slots that get them, from recorded output of nvidia-smi."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gradetape.course.config import Config
from gradetape.errors import DeviceError
from gradetape.runtime.devices import Device, choose, discover, granted, parse, slots
from gradetape.runtime.slots import Slots

TWO = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-9a8b7c6d-1111-2222-3333-444455556666)
"""
SLICED = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f)
  MIG 3g.20gb     Device  0: (UUID: MIG-0f1e2d3c-aaaa-bbbb-cccc-ddddeeeeffff)
  MIG 3g.20gb     Device  1: (UUID: MIG-1f1e2d3c-aaaa-bbbb-cccc-ddddeeeeffff)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-9a8b7c6d-1111-2222-3333-444455556666)
"""
MEMORY = "0, 40960\n1, 40960\n"


def test_cards_are_found_with_their_ids_and_memory() -> None:
    first, second = parse(TWO, MEMORY)
    assert first == Device("0", "GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f", "NVIDIA A100-SXM4-40GB", 40960)
    assert (second.index, second.cdi) == ("1", "nvidia.com/gpu=1")


def test_a_card_in_mig_mode_is_its_slices() -> None:
    found = parse(SLICED, MEMORY)
    assert [device.index for device in found] == ["0:0", "0:1", "1"]
    assert [device.memory_mb for device in found] == [20000, 20000, 40960]
    assert found[1].cdi == "nvidia.com/gpu=0:1"
    assert found[1].uuid == "MIG-1f1e2d3c-aaaa-bbbb-cccc-ddddeeeeffff"


def test_empty_or_invalid_output_of_the_driver_is_no_device() -> None:
    assert parse("", "") == ()
    assert parse("No devices were found\n", "") == ()


def test_devices_that_a_scheduler_gives_to_others_are_not_used() -> None:
    found = parse(TWO, MEMORY)
    assert granted(found, None) == found
    assert granted(found, "1") == granted(found, "GPU-9a8b7c6d") == found[1:]
    assert granted(found, "") == granted(found, "-1") == ()


def test_each_device_has_its_slots_and_each_worker_its_part_of_the_memory() -> None:
    made = slots(parse(SLICED, MEMORY), workers_per_gpu=2, workers=100)
    assert [slot.cdi for slot in made] == [
        "nvidia.com/gpu=0:0", "nvidia.com/gpu=0:1", "nvidia.com/gpu=1",
        "nvidia.com/gpu=0:0", "nvidia.com/gpu=0:1", "nvidia.com/gpu=1",
    ]  # fmt: skip
    assert [slot.memory_mb for slot in made[:3]] == [3000, 3000, 6144]
    assert [slot.card[:8] for slot in made[:3]] == ["GPU-5c89", "GPU-5c89", "GPU-9a8b"]


def test_a_slot_alone_on_a_device_takes_the_memory_that_it_needs() -> None:
    assert [slot.memory_mb for slot in slots(parse(TWO, MEMORY), workers_per_gpu=1, workers=8)] == [0, 0]


def test_there_are_no_more_slots_than_workers() -> None:
    made = slots(parse(TWO, MEMORY), workers_per_gpu=4, workers=3)
    assert [slot.cdi for slot in made] == ["nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=0"]
    assert len(slots((), workers_per_gpu=4, workers=3)) == 3


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a fake nvidia-smi."""
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\nif [ "$1" = -L ]; then cat "$0.cards"; else cat "$0.memory"; fi\n')
    program.chmod(0o755)
    (tmp_path / "nvidia-smi.cards").write_text(TWO)
    (tmp_path / "nvidia-smi.memory").write_text(MEMORY)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def test_a_course_that_asks_for_a_gpu_is_graded_on_it(machine: Path) -> None:
    assert len(discover()) == 2
    chosen = Slots.of(Config(device="gpu", workers_per_gpu=2), workers=3, secret=())
    assert [slot.device[:8] for slot in chosen.slots] == ["GPU-5c89", "GPU-9a8b", "GPU-5c89"]
    assert "A100" in chosen.message
    assert chosen.identity.endswith("gpu")


def test_auto_takes_a_gpu_if_there_is_one_and_reports_the_cpu_otherwise(machine: Path) -> None:
    assert Slots.of(Config(), workers=2, secret=()).gpu
    (machine / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    chosen = Slots.of(Config(), workers=2, secret=())
    assert (chosen.gpu, len(chosen.slots)) == (False, 2)
    assert "CPU" in chosen.message


def test_cpu_does_not_ask_the_driver(machine: Path) -> None:
    assert not Slots.of(Config(device="cpu"), workers=2, secret=()).gpu


def test_a_gpu_that_is_not_there_is_refused_and_not_replaced() -> None:
    with pytest.raises(DeviceError, match=r"device: gpu, but nvidia-smi finds no GPU.*--device cpu"):
        choose("gpu", ())
