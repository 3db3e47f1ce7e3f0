"""What the check in hand may still use, and what has happened to it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gradetape.errors import InfrastructureError, WorkerEvent


@dataclass
class CheckBudget:
    """The time of the check in hand, and the first event that ended it. Its attributes are set by its methods alone.

    `deadline` is absolute (`time.monotonic()`), `event` the first event that ended something, `received` whether any
    value of the student's has arrived, `broken` the first failure of the grader's own, whatever the check made of it.
    """

    deadline: float = math.inf
    event: WorkerEvent | None = None
    received: bool = False
    broken: InfrastructureError | None = None

    def begin(self, seconds: float, event: WorkerEvent | None = None) -> None:
        """Starts a new check, which may take `seconds`; `event` is what has happened to it already."""
        self.deadline, self.event, self.received = time.monotonic() + seconds, event, False
        self.broken = None

    def set_deadline(self, deadline: float) -> None:
        """Sets until when replies may take, in seconds of `time.monotonic()`."""
        self.deadline = deadline

    def note(self, event: WorkerEvent) -> WorkerEvent:
        """Keeps the first event of a check, and returns the one to raise."""
        self.event = self.event or event
        return self.event

    def clear_event(self) -> None:
        """Forgets the event: it was provisional, or it does not count."""
        self.event = None

    def mark_received(self) -> None:
        """Remembers that a value of the student's has arrived."""
        self.received = True

    @contextmanager
    def machinery(self) -> Iterator[None]:
        """Remembers a failure of the grader's own, so that no `except Exception` in a check can hide it."""
        try:
            yield
        except InfrastructureError as error:
            self.broken = self.broken or error
            raise

    @contextmanager
    def aside(self, seconds: float) -> Iterator[None]:
        """For a request after the check has ended: whatever comes of it changes nothing of the verdict."""
        received = self.received
        self.set_deadline(time.monotonic() + seconds)
        yield
        self.event, self.received = None, received
