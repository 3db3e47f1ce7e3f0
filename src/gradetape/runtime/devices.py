"""The GPUs of a machine, and their assignment to slots.

The GPUs are listed by nvidia-smi, never by CUDA: a process that has initialized CUDA cannot fork workers that use it. A
card in MIG mode is listed as its slices: the card itself computes nothing then.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence

import msgspec

from gradetape.errors import DeviceError
from gradetape.records import Slot

_PATIENCE_S = 20.0
_USABLE = 0.9  # the driver and CUDA's context take the rest of a card
_ROLES = 3  # student, reference and clean may each have a worker on the card
_CARD = re.compile(r"^GPU (\d+): (.+?) \(UUID: (GPU-[0-9a-f-]+)\)", re.ASCII)
_SLICE = re.compile(r"^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[0-9A-Za-z/-]+)\)", re.ASCII)
_GIGABYTES = re.compile(r"\.(\d+)gb")


class Device(msgspec.Struct, frozen=True):
    """A card or a slice of one: `index` is `0` or `0:1`, `memory_mb` its memory in MiB, `whole` the slice's card."""

    index: str
    uuid: str
    name: str
    memory_mb: int = 0
    whole: str = ""

    @property
    def card(self) -> str:
        """The id of the card that it is, or is a slice of."""
        return self.whole or self.uuid

    @property
    def cdi(self) -> str:
        """Its CDI name, as `nvidia-ctk cdi generate` gives it."""
        return f"nvidia.com/gpu={self.index}"


def discover() -> tuple[Device, ...]:
    """The devices of this machine that the grader may use; none without a driver."""
    listed = _output("nvidia-smi", "-L")
    memory = _output("nvidia-smi", "--query-gpu=index,memory.total", "--format=csv,noheader,nounits")
    return granted(parse(listed, memory), os.environ.get("CUDA_VISIBLE_DEVICES"))


def granted(found: Sequence[Device], visible: str | None) -> tuple[Device, ...]:
    """The devices that `CUDA_VISIBLE_DEVICES` names by index or id; all of them if it is not set."""
    if visible is None:
        return tuple(found)
    names = [name.strip() for name in visible.split(",") if name.strip()]
    return tuple(
        device for device in found if any(device.index == name or device.uuid.startswith(name) for name in names)
    )


def parse(listed: str, memory: str) -> tuple[Device, ...]:
    """Devices from what `nvidia-smi -L` prints, and from lines of `index, MiB`."""
    sizes = dict(line.replace(" ", "").split(",", 1) for line in memory.splitlines() if "," in line)
    found: list[Device] = []
    cards: dict[str, Device] = {}
    for line in listed.splitlines():
        if card := _CARD.match(line):
            index, name, uuid = card.groups()
            size = sizes.get(index, "")
            cards[index] = Device(index, uuid, name, int(size) if size.isdecimal() else 0)
            found.append(cards[index])
        elif (part := _SLICE.match(line)) and cards:
            whole = list(cards.values())[-1]
            found = [device for device in found if device is not whole]
            found.append(_slice(whole, *part.groups()))
    return tuple(found)


def _slice(whole: Device, profile: str, number: str, uuid: str) -> Device:
    size = _GIGABYTES.search(profile)
    memory_mb = int(size[1]) * 1000 if size else 0
    return Device(f"{whole.index}:{number}", uuid, f"{whole.name} MIG {profile}", memory_mb, whole.uuid)


def choose(requested: str, found: Sequence[Device]) -> tuple[Device, ...]:
    """The devices to compute on, none for the CPU; raises DeviceError if a GPU is requested and none is found."""
    if requested == "gpu" and not found:
        raise DeviceError(
            "device: gpu, but nvidia-smi finds no GPU on this machine. Run nvidia-smi to see why, or grade on the CPU: "
            "--device cpu, or auto, which uses a GPU if there is one."
        )
    return () if requested == "cpu" else tuple(found)


def slots(devices: Sequence[Device], *, workers_per_gpu: int, workers: int | None) -> tuple[Slot, ...]:
    """A slot for each submission that is graded at the same time; consecutive slots are on different devices.

    On the CPU there are `workers` slots. On devices there are `workers_per_gpu` per device, and at most `workers` in
    total. If slots share a device, each of their workers gets a part of its memory; otherwise it takes what it needs.
    """
    if not devices:
        return (Slot(),) * (workers or 1)
    made = [_slot(device, workers_per_gpu) for _ in range(workers_per_gpu) for device in devices]
    return tuple(made[:workers])


def _slot(device: Device, sharing: int) -> Slot:
    part = int(device.memory_mb * _USABLE / sharing / _ROLES) if sharing > 1 else 0
    return Slot(device=device.uuid, card=device.card, cdi=device.cdi, memory_mb=part)


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S)
    except (OSError, subprocess.SubprocessError):
        return ""
    return run.stdout if run.returncode == 0 else ""
