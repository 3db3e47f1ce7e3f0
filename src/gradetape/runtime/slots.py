"""Where a course's submissions are graded: which slots there are, and what serves them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gradetape.course.config import Config
from gradetape.records import Limits, Slot
from gradetape.runtime import devices
from gradetape.runtime.container import ContainerSpec, ContainerZygote, find, image_id, sweep
from gradetape.runtime.launch import LocalZygote, ZygoteProcess
from gradetape.runtime.pool import Pool


@dataclass(frozen=True)
class Slots:
    """The slots for submissions, and how the zygotes that serve them are started.

    `container` is None where they run on this machine itself, `gpu` tells that the slots are on devices, `message`
    what a person should know of the choice. `secret` lists the folders that no student's code may see.
    """

    slots: tuple[Slot, ...]
    isolation: str
    limits: Limits
    keras: str
    secret: tuple[Path, ...] = ()
    container: ContainerSpec | None = None
    fresh: bool = False
    message: str = ""

    @classmethod
    def of(
        cls, config: Config, *, workers: int, secret: tuple[Path, ...] = (), isolation: str | None = None,
        device: str | None = None,
    ) -> Slots:  # fmt: skip
        """What the configuration asks for, unless `isolation` or `device` ask for something else.

        Raises DeviceError where there is no GPU and one is asked for, EngineError without an engine or its image.
        """
        walls, asked = isolation or config.isolation, device or config.device
        found = devices.choose(asked, devices.discover() if asked != "cpu" else ())
        slots = devices.slots(found, workers_per_gpu=config.workers_per_gpu, workers=workers)
        return cls(
            slots=slots, isolation=walls, limits=config.limits.record(), keras=str(config.keras), secret=secret,
            container=_container(config, len(slots)) if walls == "container" else None,
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
        """What of the place decides results: the image, and whether there is a GPU."""
        image = image_id(self.container.engine, self.container.image) if self.container else ""
        return f"{self.isolation} {image} {'gpu' if self.gpu else 'cpu'}"

    def at_most(self, count: int) -> Slots:
        """The same, with no more slots than that."""
        return replace(self, slots=self.slots[: max(count, 1)])

    def open(self) -> Pool:
        """Starts the zygotes, after what a grader that was killed has left of its own is removed."""
        if self.container is not None:
            image_id(self.container.engine, self.container.image)
            sweep(self.container.engine)
        return Pool(self.slots, self._start, shared=self.shared, fresh=self.fresh and not self.shared)

    def _start(self, slot: Slot) -> ZygoteProcess:
        if self.container is not None:
            return ContainerZygote(self.limits, self.container, keras=self.keras, slot=slot)
        return LocalZygote(self.limits, isolation=self.isolation, keras=self.keras, gpu=self.gpu, secret=self.secret)


def _container(config: Config, workers: int) -> ContainerSpec:
    cpus = max(1.0, (os.cpu_count() or 1) / workers)
    return ContainerSpec(engine=find(config.container.engine), image=config.container.image, cpus=cpus)


def _message(found: tuple[devices.Device, ...]) -> str:
    if found:
        return "TensorFlow computes on " + ", ".join(f"{device.name} ({device.index})" for device in found)
    return "TensorFlow computes on the CPU."
