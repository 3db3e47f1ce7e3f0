"""The workers of one submission's checks: the student's, the reference's, and clean ones without student code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial

import msgspec
import numpy as np

from gradetape.errors import Gone, StudentError, WorkerEvent
from gradetape.judge.clean import CleanWorker
from gradetape.judge.evidence import Exporter, Exports
from gradetape.judge.seeds import check_rng, worker_seed
from gradetape.records import Basis, Job
from gradetape.remote.budget import CheckBudget, bytes_for
from gradetape.remote.functions import default_worker
from gradetape.remote.loader import NO_FILES, Listener
from gradetape.remote.replay import PlaybackSession, Recording
from gradetape.remote.roles import CLEAN, REFERENCE, STUDENT
from gradetape.remote.session import RemoteSession, Session
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.wire.channel import Channel
from gradetape.wire.determinism import needs_none
from gradetape.wire.operations import Operation

_ATTEMPTS = 3
_OUTPUT_S = 1.0


class CheckContext:
    """The sessions of one job, and the budget of the current check.

    `recording` receives the student's replies, if they are recorded; `listener` the events of the student's cells.
    `beside` are the files that lie in the folder of every worker, by name.

    Large because it holds everything that the checks of a job share.
    """

    def __init__(
        self, control: ZygoteClient, job: Job, recording: Recording | None = None, listener: Listener | None = None,
        beside: Mapping[str, bytes] = NO_FILES,
    ) -> None:  # fmt: skip
        self.job = job
        self.budget = CheckBudget()
        self._control, self._beside = control, beside
        open_transport = recording.open_transport if recording is not None else Channel
        self.student: Session = RemoteSession(
            control, STUDENT, job.cells, job.limits, self.budget, open_transport, listener, job.trusted, beside
        )
        self._recorded = recording is not None
        self._reference = RemoteSession(control, REFERENCE, job.reference, job.limits, self.budget, beside=beside)
        self._clean_sessions: list[RemoteSession] = []
        self._exports = Exports(
            lambda: CleanWorker(self._clean_session(), self.student), refused=job.puppet or job.liar
        )
        self._bases: set[Basis] = set()
        self._check = ""
        self.free = False
        self._begin: Callable[[], None] = lambda: None
        self._cpu_s = job.limits.check_cpu_s
        self._ends = time.monotonic() + job.limits.submission_s

    @contextmanager
    def check(self, check_id: str, seconds: float, loaded: bool, reference: bool = False) -> Iterator[None]:
        """Runs one check: prepares and reseeds the workers, on clocks of their own, then starts the check's clock.

        A check that begins after the submission's time limit ends as a timeout.
        """
        self._check, self.free = check_id, False
        limits, own = self.job.limits, self.job.check_limits.get(check_id)
        self._cpu_s = own.cpu_s if own else limits.check_cpu_s * max(seconds / limits.check_s, 1.0)
        self._exports.begin(self._cpu_s, self._worker_seed)
        self._begin = partial(self._begin_check, seconds, loaded, reference)
        self._begin()
        try:
            with default_worker(self.student.ready):
                yield
        finally:
            self._close_clean()
            if self.free:
                self._exports.close()

    def begin_again(self, error: BaseException) -> float:
        """Begins the current check once more after an error, and returns its seconds; 0 if it does not begin again.

        It does so once without deterministic operations, if the error says that it needs that; and once without the
        graphs that it can do without, if it has used any.
        """
        if self.budget.broken is not None or not (self._freed(error) or self._exports.decline()):
            return 0.0
        self._close_clean()
        self._begin()
        return max(self.budget.deadline - time.monotonic(), 0.0)

    def _freed(self, error: BaseException) -> bool:
        """Lets operations be as in a notebook, where they need not be deterministic, if the error asks for it."""
        if self.free or not isinstance(error, StudentError) or not needs_none(str(error)):
            return False
        self.free = True
        self._exports.free(self._worker_seed)
        return True

    def load(self) -> None:
        """Runs the student's cells in a worker if none has them; an event ends no check, since none has begun."""
        self.budget.begin(self.job.limits.check_s)
        with suppress(WorkerEvent):
            self.student.ready()

    @property
    def gpu(self) -> bool:
        """Whether the workers compute on a GPU."""
        return bool(self._control.slot.device)

    @property
    def _left_s(self) -> float:
        return self._ends - time.monotonic()

    def rng(self) -> np.random.Generator:
        """A random generator that depends only on the course's secret seed and the check."""
        return check_rng(self.job.seed, self._check)

    def reference(self) -> RemoteSession:
        """The session of the reference solution."""
        return self._reference

    def clean(self) -> CleanWorker:
        """A worker that has never run the student's code; what it reads of the student's is evidence."""
        self._bases.add(Basis.EVIDENCE)
        self._clean_sessions.append(self._clean_session())
        return CleanWorker(self._clean_sessions[-1], self.student)

    def exported(self) -> Exporter:
        """Exports the student's functions as graphs into a worker that has never run the student's code."""
        return Exporter(self._exports, self.student, self._bases.add)

    @property
    def basis(self) -> Basis:
        """What the current check has rested on so far."""
        return Basis.EVIDENCE if self._bases == {Basis.EVIDENCE} else Basis.TESTIMONY

    @property
    def _worker_seed(self) -> int:
        return worker_seed(self.job.seed, self._check, self.job.cells)

    def _clean_session(self) -> RemoteSession:
        limits = msgspec.structs.replace(self.job.limits, check_cpu_s=self._cpu_s)
        return RemoteSession(self._control, CLEAN, (), limits, self.budget, beside=self._beside)

    def printed(self) -> str:
        """The student's output since the check began, if the worker can still return it."""
        if self.student.worker is None or self._recorded or self.budget.event is not None:
            return ""
        with self.budget.aside(_OUTPUT_S):
            try:
                text = self.student.worker.ask(Operation.OUTPUT)
            except (StudentError, WorkerEvent):
                text = ""
        return text if type(text) is str else ""

    def play(self, recording: Recording) -> None:
        """For a liar or a puppet: the recorded replies replace the student's in the next check."""
        self.student = PlaybackSession(recording, self.job.limits, self.budget, files=not self.job.puppet)
        self._recorded = True
        self._exports.forget()

    def close(self) -> None:
        """Ends every worker."""
        for session in (self.student, self._reference, *self._clean_sessions):
            session.close()
        self._exports.close()

    def _begin_check(self, seconds: float, loaded: bool, reference: bool) -> None:
        self._bases.clear()
        self.budget.begin(self.job.limits.check_s)
        self.budget.allow_bytes(bytes_for(self.job.reference_bytes.get(self._check)))
        if self._left_s <= 0:
            self.budget.note(Gone("timeout", "the time limit of the whole submission was reached"))
        if self.student.cpu_left_s <= 0:
            self.budget.note(Gone("timeout", "the CPU seconds for the whole submission were used up"))
        if loaded and self.budget.event is None:
            self._prepare(self.student)
        if reference and self.budget.event is None:
            self._prepare(self._reference)
        self.budget.begin(min(seconds, max(self._left_s, 0.0)), self.budget.event)

    def _close_clean(self) -> None:
        while self._clean_sessions:
            self._clean_sessions.pop().close()

    def _prepare(self, session: Session) -> None:
        """Prepares and reseeds a worker; starts a new one if it has ended since the last check."""
        for _ in range(_ATTEMPTS):
            try:
                session.ready()
                self.budget.begin(self.job.limits.check_s)
                session.allow(self._cpu_s)
                self._reseed(session)
                return
            except WorkerEvent as event:
                last = event
            except StudentError as error:
                last = session.note(Gone("crashed", "the worker cannot be reseeded", said=str(error)))
            self.budget.begin(self.job.limits.check_s)
        self.budget.note(last)

    def _reseed(self, session: Session) -> None:
        worker = session.ready()
        worker.transport.begin_check()
        worker.ask(Operation.SEED, self._worker_seed, self._check.partition("::")[0], not self.free)
        worker.ask(Operation.OUTPUT)
