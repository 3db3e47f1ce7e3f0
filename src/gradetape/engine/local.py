"""Judges jobs on this machine, with warm workers and a judge whose checks are collected.

Two processes are started: a zygote that forks workers (or one for each slot, in containers), and the judge, which forks
a child for each job. A job takes a slot of the pool until it ends.
"""

from __future__ import annotations

import platform
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

from packaging.requirements import Requirement

from gradetape.course.gradable import GradableAssignment
from gradetape.course.unchanged import refuse_changed
from gradetape.engine.base import EngineOptions, Finished
from gradetape.engine.judge_client import JudgeClient
from gradetape.engine.unpacked import beside, unpacked
from gradetape.errors import CourseError
from gradetape.judge.messages import Began, CancelJob, Done, JobLost, Judged, Loaded, Message, RunJob
from gradetape.records import (
    AssignmentBundle,
    CellEvent,
    CheckResult,
    CollectedChecks,
    Environment,
    Job,
    Lost,
    Outcome,
    Said,
)
from gradetape.runtime.hidden import refuse_visible
from gradetape.runtime.pool import Lease, Pool
from gradetape.runtime.processors import workers_of
from gradetape.runtime.slots import Slots

_PACKAGES = ("gradetape", "tensorflow", "tensorflow-cpu", "keras", "tf-keras", "numpy", "pytest")
_GRACE_S = 0.3


def open_engine(gradable: GradableAssignment, options: EngineOptions) -> LocalEngine:
    """An engine for an assignment of a course on this machine: its check files are read where they are.

    Raises SandboxError if workers could read what is hidden from them, DeviceError if a GPU is requested and there is
    none, EngineError without a container engine or its image.
    """
    course = gradable.course.config
    slots = Slots.of(
        course, workers=options.workers or workers_of(course), isolation=options.isolation, device=options.device,
        secret=gradable.secret_folders,
    )  # fmt: skip
    if slots.isolation == "namespaces":
        refuse_visible(options.hidden)
    return LocalEngine(gradable.bundle(), slots, root=gradable.course.root)


@dataclass
class _Running:
    """A job that is being judged; `events` are those of its cells, once they have all run.

    `hidden`: a hidden check has begun, so that its code may have seen hidden inputs.
    """

    lease: Lease
    started: float
    results: list[CheckResult]
    sent_bytes: dict[str, int]
    events: tuple[CellEvent, ...] = ()
    hidden: bool = False

    def lost(self, reason: str) -> Lost:
        """The end of the job if the machinery fails, with what the submission's code has said by now."""
        said = Said.of(self.events, self.results)
        return Lost(reason=reason, said=said) if self.hidden else Lost(reason=reason, said_before=said)


class LocalEngine:
    """Judges one job per slot at the same time; implements `Engine`.

    `root` is the course's folder, which contains the bundle's files; without it they are written to a private temporary
    folder, which no worker sees. Large because it has all methods of the contract.
    """

    def __init__(self, bundle: AssignmentBundle, slots: Slots, *, root: Path | None = None) -> None:
        self._bundle = bundle
        self._slots = slots
        self._root = root
        self._stack = ExitStack()
        self._running: dict[int, _Running] = {}
        self._count = 0
        self._pool: Pool | None = None
        self._judge: JudgeClient | None = None
        self._collected: CollectedChecks | None = None
        self._idle = False

    @cached_property
    def environment(self) -> Environment:
        """The isolation, the image, whether there is a GPU, and the versions of the software that grades."""
        return Environment(
            isolation=self._slots.isolation, identity=self._slots.identity,
            versions=dict(_versions(self._bundle.packages)), message=self._slots.message,
        )  # fmt: skip

    @property
    def collected(self) -> CollectedChecks:
        """The checks, and the files that cannot be read; starts the judge, and the workers' zygote if jobs are
        expected."""
        if not self._idle or self._root is None:
            self._start()
        elif self._judge is None:
            self._start_judge(self._root)
        assert self._collected is not None
        return self._collected

    def capacity(self) -> int:
        """How many jobs may run at the same time: one per slot."""
        return len(self._slots.slots)

    @property
    def parts(self) -> int:
        """As many as may run: one judge server judges them all."""
        return self.capacity()

    def expect(self, jobs: int) -> None:
        """Drops the slots that so many jobs do not need, unless they have been started.

        With none expected, the checks are collected without the workers, which start if there is a job all the same.
        """
        self._idle = jobs == 0
        if self._pool is None:
            self._slots = self._slots.at_most(jobs)

    def submit(self, job: Job) -> int:
        """Starts a job in a free slot."""
        judge, pool = self._start()
        lease = pool.take()
        self._count += 1
        self._running[self._count] = _Running(lease, time.monotonic(), [], {})
        with suppress(OSError):  # if the judge has ended, wait() finds that out
            judge.send(RunJob(number=self._count, zygote=str(lease.zygote.path), slot=lease.slot, job=job))
        return self._count

    def wait(self, timeout_s: float) -> list[Finished]:
        """The jobs that have ended; waits for one message from the judge."""
        if self._judge is None:
            return []
        try:
            message = self._judge.receive(timeout_s)
            return [] if message is None else self._received(message)
        except (EOFError, OSError):
            for running in self._running.values():
                running.hidden = True  # it may have begun a hidden check without reporting it
            return self._lose_all("the judge has ended")

    def descriptor(self) -> int | None:
        """The descriptor that can be read when `wait` has something; None while nothing is started."""
        return None if self._judge is None else self._judge.fileno()

    def forget(self, number: int) -> None:
        """Cancels a job and frees its slot."""
        if number in self._running and self._judge is not None:
            with suppress(OSError):
                self._judge.send(CancelJob(number=number))
            self._end(number)

    def renew(self) -> None:
        """Gives the next job a fresh zygote and a fresh judge."""
        self.close()

    def recollect(self, bundle: AssignmentBundle) -> None:
        """Replaces the judge and keeps the workers' zygote; without the course's folder, both are replaced."""
        self._bundle = bundle
        if self._root is None:
            self.close()
        elif self._judge is not None:
            self._judge.close()
            try:
                self._start_judge(self._root)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Ends the judge, the zygotes and every worker."""
        self._judge = self._pool = None
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> tuple[JudgeClient, Pool]:
        if self._judge is None or self._pool is None:
            try:
                return self._start_both()
            except BaseException:
                self.close()
                raise
        return self._judge, self._pool

    def _start_both(self) -> tuple[JudgeClient, Pool]:
        root, slots = self._root, self._slots
        if root is None:
            root = self._stack.enter_context(unpacked(self._bundle))
            slots = replace(slots, secret=(*slots.secret, root))
        pool = self._pool = self._stack.enter_context(slots.open())
        judge = self._judge or self._start_judge(root)
        pool.wait_ready()
        return judge, pool

    def _start_judge(self, root: Path) -> JudgeClient:
        judge = self._judge = JudgeClient(
            root, [root / file for file in self._bundle.files],
            {name: root / beside(self._bundle, name) for name in self._bundle.student_files},
        )  # fmt: skip
        self._stack.callback(judge.close)
        self._collected = judge.collect()
        if root == self._root:
            self._refuse_changed(root)
        return judge

    def _refuse_changed(self, root: Path) -> None:
        """Nobody is judged with other files than those that the engine was opened with."""
        files = {root / name: data for name, data in self._bundle.files.items()}
        files |= {root / beside(self._bundle, name): data for name, data in self._bundle.student_files.items()}
        try:
            refuse_changed(root, files)
        except CourseError:
            self.close()
            raise

    def _received(self, message: Message) -> list[Finished]:
        if not isinstance(message, Began | Loaded | Judged | JobLost | Done) or message.number not in self._running:
            return []
        running = self._running[message.number]
        match message:
            case Began():
                running.hidden = True
            case Loaded(events=events):
                running.events = events
            case Judged(result=result, sent_bytes=sent_bytes):
                running.results.append(result)
                running.sent_bytes[result.check.id] = sent_bytes
            case JobLost(reason=reason):
                return [(message.number, running.lost(reason)), *self._end_lost(message.number)]
            case Done():
                return [(message.number, _outcome(message, self._end(message.number)))]
        return []

    def _end(self, number: int) -> _Running:
        ended = self._running.pop(number)
        if self._pool is not None:
            self._pool.give_back(ended.lease)
        return ended

    def _end_lost(self, number: int) -> list[Finished]:
        """If a shared zygote has ended, every other job is lost too."""
        if self._running[number].lease.zygote.ended(_GRACE_S) and self._slots.shared:
            del self._running[number]
            return self._lose_all("the zygote has ended")
        self._end(number)
        return []

    def _lose_all(self, reason: str) -> list[Finished]:
        lost: list[Finished] = [(number, running.lost(reason)) for number, running in self._running.items()]
        self._running.clear()
        self.close()
        return lost


def _outcome(done: Done, ended: _Running) -> Outcome:
    return Outcome(
        results=tuple(ended.results), events=done.events, layers=done.layers, devices=done.devices,
        versions=done.versions, review=done.review, seconds=round(time.monotonic() - ended.started, 3),
        sent_bytes=ended.sent_bytes,
    )  # fmt: skip


@cache
def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of the software that grades, by name; `packages` are the assignment's."""
    found = {"python": platform.python_version()}
    for name in (*_PACKAGES, *(Requirement(package).name for package in packages)):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
