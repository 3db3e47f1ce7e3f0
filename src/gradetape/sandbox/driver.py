"""What a worker that computes on a GPU can reach of the NVIDIA driver: the nodes of its own card, and a few files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gradetape.records import Slot

NODES, CARDS = Path("/dev"), Path("/proc/driver/nvidia/gpus")
# CUDA names its threads by writing to the files `comm` in here, and gives up if it cannot.
THREADS = "/proc/self/task"
_CONTROL = ("nvidiactl", "nvidia-uvm")
# Which modules the kernel has, the sizes of its memory, and the driver's settings: everybody may read them.
_FILES = (
    "/sys/module/nvidia/initstate", "/sys/module/nvidia_uvm/initstate", "/sys/devices/system/node",
    "/sys/devices/system/memory/block_size_bytes",
)  # fmt: skip
_PART_OF_PROC = ("/proc/driver/nvidia", "/proc/devices", "/proc/modules")
_FIELD = re.compile(r"^(GPU UUID|Device Minor|Bus Location):\s*(\S+)", re.ASCII | re.MULTILINE)


class DriverAccess(NamedTuple):
    """The device nodes that a worker can use, and the files outside of /proc that it can read; none on the CPU."""

    nodes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def part_of_proc(self) -> tuple[str, ...]:
        """The files in /proc that it can read; they show no process."""
        return _PART_OF_PROC if self.nodes else ()

    @property
    def threads(self) -> tuple[str, ...]:
        """The folder in which it can name its own threads."""
        return (THREADS,) if self.nodes else ()


def access(slot: Slot, nodes: Path = NODES, cards: Path = CARDS) -> DriverAccess:
    """The driver's own nodes and those of the slot's card, and the files that CUDA reads.

    Where the driver does not list the cards, as in some containers, no card is known to be another one: then the nodes
    are all that there are.
    """
    if not slot.device:
        return DriverAccess()
    listed = tuple(_listed(cards))
    own = [fields for fields in listed if fields["GPU UUID"] == (slot.card or slot.device)]
    others = {fields["Device Minor"] for fields in listed if fields not in own}
    found = [path for path in nodes.glob("nvidia[0-9]*") if path.name.removeprefix("nvidia") not in others]
    slices = nodes.glob("nvidia-caps/*") if slot.device.startswith("MIG-") else ()
    control = (path for path in map(nodes.joinpath, _CONTROL) if path.exists())
    places = (f"/sys/bus/pci/devices/{fields['Bus Location']}/numa_node" for fields in own)
    files = tuple(path for path in (*_FILES, *places) if Path(path).exists())
    return DriverAccess(tuple(map(str, (*control, *sorted(found), *sorted(slices)))), files)


def _listed(cards: Path) -> Iterator[dict[str, str]]:
    """What the driver says of each card that it lists."""
    for file in cards.glob("*/information"):
        fields = dict(_FIELD.findall(file.read_text(errors="replace")))
        if len(fields) == 3:
            yield fields
