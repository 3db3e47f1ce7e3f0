"""Jobs judged on this machine: warm workers, and a judge whose checks are collected."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Self

from gradetape import tempdirs as tempdirs
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import InfrastructureError, ZygoteError
from gradetape.judge.messages import CancelJob, Done, JobLost, Judged, Message, RunJob
from gradetape.records import (
    CheckResult,
    CollectedChecks,
    Job,
    Lost,
    Outcome,
)
from gradetape.runtime.pool import Lease, Pool
from gradetape.runtime.slots import Slots
from gradetape.wire.message_channel import MessageChannel

_COLLECT_S = 120.0
_GRACE_S = 0.3


@dataclass
class _Work:
    """An order that is being judged."""

    lease: Lease
    started: float
    results: list[CheckResult]


class LocalEngine:
    """Warm far sides and a judge whose checks are collected; judges up to `capacity()` cases at a time.

    A context manager. Raises InfrastructureError where the far side cannot be started. After a loss all is started anew
    with the next case.
    """

    def __init__(self, gradable: GradableAssignment, slots: Slots) -> None:
        self._gradable = gradable
        self._slots = slots
        self._stack = ExitStack()
        self._work: dict[int, _Work] = {}
        self._count = 0
        self._pool: Pool | None = None
        self._channel: MessageChannel | None = None
        self._collected: CollectedChecks | None = None

    @property
    def collected(self) -> CollectedChecks:
        """The checks, and the files that could not be read."""
        self._start()
        assert self._collected is not None
        return self._collected

    def capacity(self) -> int:
        """How many cases may be under way."""
        return len(self._slots.slots)

    def submit(self, job: Job) -> int:
        """Begins to judge a case; its number."""
        self._start()
        assert self._channel is not None and self._pool is not None
        lease = self._pool.take()
        self._count += 1
        self._work[self._count] = _Work(lease, time.monotonic(), [])
        with suppress(OSError):  # if the judge is gone, wait() finds that out
            self._channel.send(RunJob(number=self._count, zygote=str(lease.zygote.path), slot=lease.slot, job=job))
        return self._count

    def wait(self, timeout_s: float) -> list[tuple[int, Outcome | Lost]]:
        """The cases that have ended; waits for news no longer than `timeout_s`."""
        if self._channel is None:
            return []
        readable, _, _ = select.select([self._channel], [], [], timeout_s)
        if not readable:
            return []
        try:
            return self._hear(self._channel.receive(Message))
        except (EOFError, OSError):
            return self._all_lost("the judge is gone")

    def forget(self, number: int) -> None:
        """Stops judging a case."""
        if number in self._work and self._channel is not None:
            with suppress(OSError):
                self._channel.send(CancelJob(number=number))
            self._finished(number)

    def judge(self, job: Job) -> Outcome:
        """Judges one case by itself; raises InfrastructureError where it was lost."""
        number = self.submit(job)
        while True:
            for ended, outcome in self.wait(60.0):
                if ended != number:
                    continue
                if isinstance(outcome, Lost):
                    raise InfrastructureError(f"the case was lost: {outcome.reason}")
                return outcome

    def renew(self) -> None:
        """Lets the next case have a fresh zygote and a fresh judge; nothing is under way."""
        self.close()

    def close(self) -> None:
        """Ends the judge, the zygote and every worker."""
        self._channel = self._pool = None
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hear(self, message: Message) -> list[tuple[int, Outcome | Lost]]:
        if isinstance(message, CollectedChecks) or message.number not in self._work:
            return []
        if isinstance(message, Judged):
            self._work[message.number].results.append(message.result)
            return []
        if isinstance(message, JobLost):
            return [(message.number, Lost(reason=message.reason)), *self._after_loss(message.number)]
        if isinstance(message, Done):
            work = self._finished(message.number)
            seconds = round(time.monotonic() - work.started, 3)
            found = Outcome(
                results=tuple(work.results), events=message.events, layers=message.layers, devices=message.devices,
                review=message.review, versions=message.versions, seconds=seconds,
            )  # fmt: skip
            return [(message.number, found)]
        return []

    def _finished(self, number: int) -> _Work:
        work = self._work.pop(number)
        if self._pool is not None:
            self._pool.give_back(work.lease)
        return work

    def _after_loss(self, number: int) -> list[tuple[int, Outcome | Lost]]:
        """Where a zygote that all share is gone, so is all else."""
        gone = self._work[number].lease.zygote.ended(_GRACE_S)
        if gone and self._slots.shared:
            del self._work[number]
            return self._all_lost("the zygote is gone")
        self._finished(number)
        return []

    def _all_lost(self, reason: str) -> list[tuple[int, Outcome | Lost]]:
        lost = [(number, Lost(reason=reason)) for number in self._work]
        self._work.clear()
        self.close()
        return list(lost)

    def _start(self) -> None:
        if self._channel is not None:
            return
        try:
            self._start_both()
        except BaseException:
            self.close()
            raise

    def _start_both(self) -> None:
        self._pool = self._stack.enter_context(self._slots.open())
        self._channel = self._start_judge()
        self._collected = self._collect(self._channel)
        self._pool.wait_ready()

    def _start_judge(self) -> MessageChannel:
        ours, theirs = socket.socketpair()
        folder = self._stack.enter_context(tempdirs.folder("gradetape-judge-"))
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "gradetape.judge.server"], stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=folder, start_new_session=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        )  # fmt: skip
        theirs.close()
        line = MessageChannel(ours)
        self._stack.callback(_end, process)
        self._stack.callback(line.close)
        line.send([str(self._gradable.course.root), *map(str, self._gradable.check_files)])
        return line

    def _collect(self, line: MessageChannel) -> CollectedChecks:
        try:
            readable, _, _ = select.select([line], [], [], _COLLECT_S)
            if readable:
                found: CollectedChecks = line.receive(Message)
                return found
        except (EOFError, OSError):
            pass
        raise ZygoteError("the judge could not collect the checks. Try pytest autograder/ to see why.")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
