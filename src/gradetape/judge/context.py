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

from gradetape.errors import Gone, StudentError, WireError, WorkerEvent
from gradetape.records import Job
from gradetape.remote.functions import WorkerFunction, default_worker
from gradetape.remote.replay import Recording
from gradetape.remote.session import CHECK_BYTES, CheckBudget, RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.wire.values import WorkerPath

_ATTEMPTS = 3


class CheckContext:
    """The far sides of one case, and the clock of the check in hand."""

    def __init__(self, control: ZygoteClient, job: Job, recording: Recording | None = None) -> None:
        self.job = job
        self.budget = CheckBudget()
        self._control = control
        self.student = RemoteSession(control, "student", job.cells, job.limits, self.budget, recording)
        self._reference = RemoteSession(control, "reference", job.reference, job.limits, self.budget)
        self._clean_sessions: list[RemoteSession] = []
        self._check = ""
        self._cpu_s = job.limits.check_cpu_s
        self._ends = time.monotonic() + job.limits.submission_s

    @contextmanager
    def check(self, check_id: str, seconds: float, loaded: bool, reference: bool = False) -> Iterator[None]:
        """One check: the far sides are made ready on their own clocks and reseeded, then the check's clock starts.

        A check that begins when the whole submission's time is over ends as a timeout.
        """
        self._check = check_id
        self.budget.begin(self.job.limits.check_s)
        if self._left_s <= 0:
            self.budget.note(Gone("timeout", "the time for the whole submission was over"))
        if self.student.cpu_left_s <= 0:
            self.budget.note(Gone("timeout", "the CPU seconds for the whole submission were used up"))
        self._cpu_s = self.job.limits.check_cpu_s * max(seconds / self.job.limits.check_s, 1.0)
        if loaded and self.budget.event is None:
            self._prepare(self.student)
        if reference and self.budget.event is None:
            self._prepare(self._reference)
        self.budget.begin(min(seconds, max(self._left_s, 0.0)), self.budget.event)
        try:
            with default_worker(self.student.ready):
                yield
        finally:
            while self._clean_sessions:
                self._clean_sessions.pop().close()

    @property
    def gpu(self) -> bool:
        """Whether its far sides compute on a GPU."""
        return bool(self._control.slot.device)

    @property
    def _left_s(self) -> float:
        return self._ends - time.monotonic()

    def rng(self) -> np.random.Generator:
        """Random numbers that depend on the course's secret seed and the check alone."""
        return np.random.default_rng([*self.job.seed.encode(), zlib.crc32(self._check.encode())])

    def reference(self) -> RemoteSession:
        """The reference's far side."""
        return self._reference

    def clean(self) -> CleanWorker:
        """A far side that has never seen the student's code."""
        limits = msgspec.structs.replace(self.job.limits, check_cpu_s=self._cpu_s)
        session = RemoteSession(self._control, "clean", (), limits, self.budget)
        self._clean_sessions.append(session)
        return CleanWorker(session, self.student)

    def printed(self) -> str:
        """What the student's code printed since the check began, where that can still be had."""
        if self.student.worker is None or self.student.recording or self.budget.event is not None:
            return ""
        received = self.budget.received
        self.budget.deadline = time.monotonic() + 1.0
        try:
            text = self.student.worker.ask("output")
        except (StudentError, WorkerEvent):
            text = ""
        self.budget.event, self.budget.received = None, received  # the verdict stands already, whatever came now
        return text if type(text) is str else ""

    def play(self, recording: Recording) -> None:
        """For a liar: the replies on the tape take the student's place in the next check."""
        self.student = RemoteSession(self._control, "student", (), self.job.limits, self.budget, recording)
        self.student.play()

    def close(self) -> None:
        """Ends every far side."""
        for session in (self.student, self._reference, *self._clean_sessions):
            session.close()

    def _prepare(self, session: RemoteSession) -> None:
        """Makes a far side ready and reseeds it; where the worker died since the last check, a new one."""
        for _ in range(_ATTEMPTS):
            try:
                session.ready()
                self.budget.begin(self.job.limits.check_s)
                if session.recording and not session.recording.playing:
                    session.recording.frames.clear()  # what is played again begins with the check, not with the cells
                session.allow(self._cpu_s)
                self._fresh(session)
                return
            except WorkerEvent as event:
                last = event
            except StudentError as error:
                last = session.note(Gone("crashed", f"the far side cannot be reseeded: {error}"))
            self.budget.begin(self.job.limits.check_s)
        self.budget.note(last)

    def _fresh(self, session: RemoteSession) -> None:
        worker = session.ready()
        worker.channel.budget = CHECK_BYTES
        worker.ask("seed", zlib.crc32(f"{self.job.seed}{self._check}".encode()))
        worker.ask("output")


class CleanWorker:
    """The fixture `clean`: Keras and TensorFlow where no student's class is known."""

    def __init__(self, session: RemoteSession, student: RemoteSession) -> None:
        self._lane = session
        self._student = student
        self.tf = session.module("tf")
        self.keras = session.module("keras")

    def run(self, function: WorkerFunction, *args: object, **kwargs: object) -> Any:
        """Runs a @in_worker function there."""
        return self._lane.ready().ask("call", function, list(args), kwargs)

    def copy(self, folder: WorkerPath) -> WorkerPath:
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
        return WorkerPath(self._lane.ready().ask("write_tree", files))
