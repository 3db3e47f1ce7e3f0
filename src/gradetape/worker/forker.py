"""Forks sandboxed workers from the zygote."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from typing import NoReturn

import msgspec

from gradetape.errors import SandboxError
from gradetape.records import Slot
from gradetape.sandbox import syscalls
from gradetape.sandbox.bare import BareSandbox
from gradetape.sandbox.base import ELSEWHERE, Policy, Sandbox, SandboxUnavailable, Uids
from gradetape.sandbox.driver import DriverAccess, access
from gradetape.sandbox.groups import Group, Groups
from gradetape.sandbox.namespaces import NamespaceSandbox
from gradetape.sandbox.plain import PlainSandbox
from gradetape.sandbox.reports import Failed, Pipe, Report, SandboxReady, report_channel
from gradetape.worker.process import WorkerProcess

DATA = 100  # the descriptor of a worker's data socket
_REPORT = DATA + 1
_DAEMON_S = 5.0
_BACKENDS: dict[str, tuple[Callable[[Policy, bool], Sandbox], ...]] = {
    "namespaces": (NamespaceSandbox, PlainSandbox),
    "none": (BareSandbox,),
}


class _Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The number of the backend that passed its rehearsal, or why none did."""

    backend: int = 0
    refusal: str = ""


class Forker:
    """Forks workers, each in a sandbox, under a uid and in a control group of its own."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._groups = Groups(policy.limits)
        self._uids = Uids()
        self._sandbox: Sandbox

    def choose(self) -> None:
        """Chooses the first sandbox that passes a rehearsal; raises SandboxError if none does.

        A child of the zygote rehearses, and it alone reads which folders are hidden, from the second line of standard
        input: workers inherit the zygote's memory.
        """
        if self._policy.isolation != "none":
            self._groups.require()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._choose_and_end(write)
        os.close(write)
        with open(read, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(pid, 0)
        if not answer:
            raise SandboxError("the rehearsal of the sandbox ended without a result. Does it have enough memory?")
        choice = msgspec.json.decode(answer, type=_Choice)
        if choice.refusal:
            raise SandboxError(choice.refusal)
        self._sandbox = _BACKENDS[self._policy.isolation][choice.backend](self._policy, self._groups.each)
        self._sandbox.check()

    def fork(
        self, owner: socket.socket | None, number: int, data: int, work: Callable[[], None], uids: Iterable[int],
        slot: Slot = Slot(),  # noqa: B008 - it is frozen
    ) -> WorkerProcess:  # fmt: skip
        """Forks a worker that runs `work` with the descriptor `data`, and can use the device of its slot.

        `uids` are those in use. Raises OSError.
        """
        gpu = access(slot) if self._policy.gpu else DriverAccess()
        uid = self._uids.take(uids)
        group = self._groups.make()
        reader, write = report_channel()
        try:
            pid = os.fork()
        except OSError:
            reader.close()
            os.close(write)
            if group:
                group.remove()
            raise
        if pid == 0:
            self._become(group, data, write, partial(self._sandbox.enter, uid, gpu, work))
        os.close(write)
        return WorkerProcess(number, pid, uid, reader, group, owner, os.fstat(data).st_ino)

    @property
    def layers(self) -> tuple[str, ...]:
        """The limits that the control groups set."""
        return self._groups.layers

    def close(self) -> None:
        """Removes the control groups."""
        self._groups.remove()

    def _choose_and_end(self, write: int) -> NoReturn:
        """In the child that rehearses: reads the hidden folders, and reports its choice."""
        try:
            syscalls.die_with_parent()
            secret = msgspec.json.decode(io.FileIO(0, closefd=False).readline() or b"[]", type=tuple[str, ...])
            self._policy = msgspec.structs.replace(self._policy, secret=secret)
            choice = self._choice()
        except BaseException as error:
            choice = _Choice(refusal=f"the rehearsal of the sandbox failed: {error!r}")
        os.write(write, msgspec.json.encode(choice))
        os._exit(0)

    def _choice(self) -> _Choice:
        refusals: list[str] = []
        for number, backend in enumerate(_BACKENDS[self._policy.isolation]):
            self._sandbox = backend(self._policy, self._groups.each)
            try:
                self._sandbox.check()
                self._rehearse()
                return _Choice(backend=number)
            except SandboxError as refusal:
                refusals.append(str(refusal))
                if not isinstance(refusal, SandboxUnavailable):
                    break
        return _Choice(refusal=" And without namespaces: ".join(refusals))

    def _rehearse(self) -> None:
        """Tries the sandbox on a worker that only leaves a daemon, which must end with it; raises SandboxError."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                child = self.fork(None, 0, theirs.fileno(), _leave_a_daemon, ())
            received: list[Report] = []
            while (reports := child.pipe.read()) is not None:
                received += reports
            child.reap()
            _refuse_broken(received)
            ours.settimeout(_DAEMON_S)
            try:
                ours.recv(1)
            except TimeoutError:
                raise SandboxError(
                    f"not every process of a worker can be killed: a daemon outlived its worker. {ELSEWHERE}"
                ) from None

    def _become(self, group: Group | None, data: int, write: int, enter: Callable[[Pipe, int], NoReturn]) -> NoReturn:
        """In the child: keeps only the data socket and the report channel of the zygote's, then enters the sandbox."""
        pipe = Pipe(_REPORT)
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if group:
                group.join()
            write = fcntl.fcntl(write, fcntl.F_DUPFD, _REPORT + 1)  # it may be DATA itself
            os.dup2(data, DATA, inheritable=False)
            os.dup2(write, _REPORT, inheritable=False)
            nothing = os.open("/dev/null", os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
            syscalls.close_from(3, DATA - 1)
            syscalls.close_from(_REPORT + 1)
            enter(pipe, DATA)
        except BaseException as error:
            reason = str(error) if isinstance(error, SandboxError | OSError) else traceback.format_exc()[-2000:]
            try:
                pipe.failed(reason, isinstance(error, SandboxUnavailable))
            finally:
                os._exit(98)
        os._exit(99)


def _leave_a_daemon() -> None:
    """Leaves a process in a session of its own, whose parent has ended; it keeps the data socket open."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(2 * _DAEMON_S)
        os._exit(0)
    os.wait()


def _refuse_broken(reports: list[Report]) -> None:
    """Raises SandboxError, or SandboxUnavailable, unless the sandbox of a rehearsal was complete."""
    for report in reports:
        if isinstance(report, Failed):
            raise (SandboxUnavailable if report.elsewhere else SandboxError)(report.reason)
    if not any(isinstance(report, SandboxReady) for report in reports):
        raise SandboxError(
            "a worker ended before its sandbox was complete. Does it have enough memory (limits.memory_mb)?"
        )
