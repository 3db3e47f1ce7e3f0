"""What one submission's checks work at: its far side, the reference's, and fresh ones that have seen no student."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np

from gradetape.errors import FarSideEvent, Gone, StudentError, WireError
from gradetape.records import Cell, Limits
from gradetape.wire.control import Control
from gradetape.wire.functions import FarFunction, default_far_side
from gradetape.wire.lane import CHECK_BYTES, Lane, Tape, Watch
from gradetape.wire.values import FarPath

_ATTEMPTS = 3


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One submission to judge: its cells, the reference's, and how.

    `only` lists the ids of the checks to run, or None for all; `trusted` is the reference itself. A `liar` is not run:
    for each check the reference runs with another seed, and its replies are played again to the check.
    """

    cells: tuple[Cell, ...]
    reference: tuple[Cell, ...]
    seed: str
    limits: Limits
    only: tuple[str, ...] | None = None
    trusted: bool = False
    liar: bool = False
    gpu: bool = False


class Bench:
    """The far sides of one case, and the clock of the check in hand."""

    def __init__(self, control: Control, case: Case, tape: Tape | None = None) -> None:
        self.case = case
        self.watch = Watch()
        self._control = control
        self.student = Lane(control, "student", case.cells, case.limits, self.watch, tape)
        self._reference = Lane(control, "reference", case.reference, case.limits, self.watch)
        self._cleans: list[Lane] = []
        self._check = ""
        self._cpu_s = case.limits.check_cpu_s
        self._ends = time.monotonic() + case.limits.submission_s

    @contextmanager
    def check(self, check_id: str, seconds: float, loaded: bool, reference: bool = False) -> Iterator[None]:
        """One check: the far sides are made ready on their own clocks and reseeded, then the check's clock starts.

        A check that begins when the whole submission's time is over ends as a timeout.
        """
        self._check = check_id
        self.watch.begin(self.case.limits.check_s)
        if self._left_s <= 0:
            self.watch.note(Gone("timeout", "the time for the whole submission was over"))
        if self.student.cpu_left_s <= 0:
            self.watch.note(Gone("timeout", "the CPU seconds for the whole submission were used up"))
        self._cpu_s = self.case.limits.check_cpu_s * max(seconds / self.case.limits.check_s, 1.0)
        if loaded and self.watch.event is None:
            self._prepare(self.student)
        if reference and self.watch.event is None:
            self._prepare(self._reference)
        self.watch.begin(min(seconds, max(self._left_s, 0.0)), self.watch.event)
        try:
            with default_far_side(self.student.ready):
                yield
        finally:
            while self._cleans:
                self._cleans.pop().close()

    @property
    def _left_s(self) -> float:
        return self._ends - time.monotonic()

    def rng(self) -> np.random.Generator:
        """Random numbers that depend on the course's secret seed and the check alone."""
        return np.random.default_rng([*self.case.seed.encode(), zlib.crc32(self._check.encode())])

    def reference(self) -> Lane:
        """The reference's far side."""
        return self._reference

    def clean(self) -> Clean:
        """A far side that has never seen the student's code."""
        limits = msgspec.structs.replace(self.case.limits, check_cpu_s=self._cpu_s)
        lane = Lane(self._control, "clean", (), limits, self.watch)
        self._cleans.append(lane)
        return Clean(lane, self.student)

    def printed(self) -> str:
        """What the student's code printed since the check began, where that can still be had."""
        if self.student.worker is None or self.student.tape or self.watch.event is not None:
            return ""
        received = self.watch.received
        self.watch.deadline = time.monotonic() + 1.0
        try:
            text = self.student.worker.ask("output")
        except (StudentError, FarSideEvent):
            text = ""
        self.watch.event, self.watch.received = None, received  # the verdict stands already, whatever came now
        return text if type(text) is str else ""

    def play(self, tape: Tape) -> None:
        """For a liar: the replies on the tape take the student's place in the next check."""
        self.student = Lane(self._control, "student", (), self.case.limits, self.watch, tape)
        self.student.play()

    def close(self) -> None:
        """Ends every far side."""
        for lane in (self.student, self._reference, *self._cleans):
            lane.close()

    def _prepare(self, lane: Lane) -> None:
        """Makes a far side ready and reseeds it; where the worker died since the last check, a new one."""
        for _ in range(_ATTEMPTS):
            try:
                lane.ready()
                self.watch.begin(self.case.limits.check_s)
                if lane.tape and not lane.tape.playing:
                    lane.tape.frames.clear()  # what is played again begins with the check, not with the cells
                lane.allow(self._cpu_s)
                self._fresh(lane)
                return
            except FarSideEvent as event:
                last = event
            except StudentError as error:
                last = lane.note(Gone("crashed", f"the far side cannot be reseeded: {error}"))
            self.watch.begin(self.case.limits.check_s)
        self.watch.note(last)

    def _fresh(self, lane: Lane) -> None:
        worker = lane.ready()
        worker.channel.budget = CHECK_BYTES
        worker.ask("seed", zlib.crc32(f"{self.case.seed}{self._check}".encode()))
        worker.ask("output")


class Clean:
    """The fixture `clean`: Keras and TensorFlow where no student's class is known."""

    def __init__(self, lane: Lane, student: Lane) -> None:
        self._lane = lane
        self._student = student
        self.tf = lane.module("tf")
        self.keras = lane.module("keras")

    def run(self, function: FarFunction, *args: object, **kwargs: object) -> Any:
        """Runs a @far_side function there."""
        return self._lane.ready().ask("call", function, list(args), kwargs)

    def copy(self, folder: FarPath) -> FarPath:
        """Carries a folder's regular files over from the student's far side; the folder's path there.

        Raises StudentError where the folder does not exist or holds too much.
        """
        files = self._student.ready().ask("read_tree", folder)
        if type(files) is not dict or not files:
            raise StudentError(f"nothing was written to {Path(folder).name}")
        for name, data in files.items():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or type(data) is not np.ndarray:
                raise WireError("a file outside its folder")
        return FarPath(self._lane.ready().ask("write_tree", files))
