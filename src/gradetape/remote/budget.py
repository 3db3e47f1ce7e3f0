"""The budget of the current check, and the events of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gradetape.errors import InfrastructureError, WorkerEvent


@dataclass
class CheckBudget:
    """The deadline of the current check, and the first event that ended it. Only its methods set its attributes.

    `deadline` is absolute (`time.monotonic()`), `event` the first event that ended something, `received` whether any
    value from the student has arrived, `broken` the grader's own first failure, even if the check caught it.
    """

    deadline: float = math.inf
    event: WorkerEvent | None = None
    received: bool = False
    broken: InfrastructureError | None = None

    def begin(self, seconds: float, event: WorkerEvent | None = None) -> None:
        """Starts a new check, which may take `seconds`; `event` is an event that has occurred already."""
        self.deadline, self.event, self.received = time.monotonic() + seconds, event, False
        self.broken = None

    def set_deadline(self, deadline: float) -> None:
        """Sets the deadline for replies, in seconds of `time.monotonic()`."""
        self.deadline = deadline

    def note(self, event: WorkerEvent) -> WorkerEvent:
        """Keeps the first event of a check, and returns the event to raise."""
        self.event = self.event or event
        return self.event

    def clear_event(self) -> None:
        """Forgets the event: it was provisional, or it does not count."""
        self.event = None

    def mark_received(self) -> None:
        """Records that a value from the student has arrived."""
        self.received = True

    @contextmanager
    def machinery(self) -> Iterator[None]:
        """Records a failure of the grader, so that no `except Exception` in a check can hide it."""
        try:
            yield
        except InfrastructureError as error:
            self.broken = self.broken or error
            raise

    @contextmanager
    def aside(self, seconds: float) -> Iterator[None]:
        """For a request after the end of the check: its result does not change the verdict."""
        received = self.received
        self.set_deadline(time.monotonic() + seconds)
        try:
            yield
        finally:
            self.event, self.received = None, received
