"""The slots in which a course's submissions are graded, and the zygotes that serve them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gradetape.course.config import Config
from gradetape.records import Limits, Slot
from gradetape.runtime import devices
from gradetape.runtime.container import ContainerSpec, ContainerZygote, find, image_id, sweep
from gradetape.runtime.launch import LocalZygote, ZygoteProcess
from gradetape.runtime.pool import Pool
from gradetape.runtime.processors import processors


@dataclass(frozen=True)
class Slots:
    """The slots for submissions, and the settings of the zygotes that serve them.

    `secret` lists the folders that no student's code may see. `container` is None if the zygotes run on this machine
    itself. `message` is a sentence about the device that TensorFlow uses.
    """

    slots: tuple[Slot, ...]
    isolation: str
    limits: Limits
    keras: str
    secret: tuple[Path, ...]
    container: ContainerSpec | None = None
    fresh: bool = False
    message: str = ""

    @classmethod
    def of(
        cls, config: Config, *, workers: int, secret: tuple[Path, ...], isolation: str | None = None,
        device: str | None = None,
    ) -> Slots:  # fmt: skip
        """The slots that the configuration asks for; `isolation` and `device` override it.

        Raises DeviceError if a GPU is requested and none is found, EngineError without an engine or its image.
        """
        isolation, device = isolation or config.isolation, device or config.device
        found = devices.choose(device, devices.discover() if device != "cpu" else ())
        slots = devices.slots(found, workers_per_gpu=config.workers_per_gpu, workers=workers)
        return cls(
            slots=slots, isolation=isolation, limits=config.limits.record(), keras=str(config.keras), secret=secret,
            container=_container(config, len(slots)) if isolation == "container" else None,
            fresh=config.container.per == "submission", message=_message(found),
        )  # fmt: skip

    @property
    def gpu(self) -> bool:
        """Whether TensorFlow computes on devices."""
        return any(slot.device for slot in self.slots)

    @property
    def shared(self) -> bool:
        """Whether one zygote serves all slots."""
        return self.container is None

    @cached_property
    def identity(self) -> str:
        """The settings that can change results: the isolation, the image, and whether there is a GPU."""
        image = image_id(self.container.engine, self.container.image) if self.container else ""
        return f"{self.isolation} {image} {'gpu' if self.gpu else 'cpu'}"

    def at_most(self, count: int) -> Slots:
        """The same settings with at most `count` slots."""
        return replace(self, slots=self.slots[: max(count, 1)])

    def open(self) -> Pool:
        """Starts the zygotes, after removing the containers that killed graders left behind."""
        if self.container is not None:
            image_id(self.container.engine, self.container.image)
            sweep(self.container.engine)
        return Pool(self.slots, self._start, shared=self.shared, fresh=self.fresh and not self.shared)

    def _start(self, slot: Slot) -> ZygoteProcess:
        if self.container is not None:
            return ContainerZygote(self.limits, self.container, keras=self.keras, slot=slot)
        return LocalZygote(self.limits, isolation=self.isolation, keras=self.keras, gpu=self.gpu, secret=self.secret)


def _container(config: Config, workers: int) -> ContainerSpec:
    cpus = max(1.0, processors() / workers)
    return ContainerSpec(engine=find(config.container.engine), image=config.container.image, cpus=cpus)


def _message(found: tuple[devices.Device, ...]) -> str:
    if found:
        return "TensorFlow computes on " + ", ".join(f"{device.name} ({device.index})" for device in found)
    return "TensorFlow computes on the CPU."
