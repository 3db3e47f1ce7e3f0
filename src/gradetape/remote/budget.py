"""The budget of the current check, and the events of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gradetape.errors import InfrastructureError, WorkerEvent

CHECK_BYTES = 512 << 20  # for the reference, and where it is unknown what the reference sends
CELL_BYTES = 16 << 20
JUDGE_MB = 2048  # a list of the numbers in a reply can take forty times its bytes
_LEAST = 16 << 20
_TIMES = 4


def bytes_for(reference: int | None) -> int:
    """How many bytes a submission may send for a check for which the reference sends so many, if that is known."""
    return CHECK_BYTES if reference is None else min(max(_TIMES * reference, _LEAST), CHECK_BYTES)


@dataclass
class CheckBudget:
    """The deadline of the current check, and the first event that ended it. Only its methods set its attributes.

    `deadline` is absolute (`time.monotonic()`), `event` the first event that ended something, `received` whether any
    value from the student has arrived, `broken` the grader's own first failure, even if the check caught it. Workers
    with or after student code may send `max_bytes` together, and have sent `sent_bytes`.
    """

    deadline: float = math.inf
    event: WorkerEvent | None = None
    received: bool = False
    broken: InfrastructureError | None = None
    max_bytes: int = CHECK_BYTES
    sent_bytes: int = 0

    def begin(self, seconds: float, event: WorkerEvent | None = None) -> None:
        """Starts a new check, which may take `seconds`; `event` is an event that has occurred already."""
        self.deadline, self.event, self.received = time.monotonic() + seconds, event, False
        self.broken = None

    def allow_bytes(self, most: int) -> None:
        """Starts a new count of the bytes that workers may send."""
        self.max_bytes, self.sent_bytes = most, 0

    @property
    def bytes_left(self) -> int:
        """The bytes that workers may still send."""
        return max(self.max_bytes - self.sent_bytes, 0)

    def count_bytes(self, count: int) -> None:
        """Counts bytes of a reply."""
        self.sent_bytes += count

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
