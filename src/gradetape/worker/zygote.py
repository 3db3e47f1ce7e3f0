"""The zygote: imports TensorFlow once, then forks a worker for whoever asks.

`python -m gradetape.worker.zygote` reads its policy from standard input and listens on a sequenced-packet socket.
Every connection is one judge's child: `Spawn` brings a worker's data socket along (so that it has no name that anyone
could connect to), `Kill` ends a worker, `Allow` limits its CPU seconds, which the zygote looks at
from outside; the zygote tells when one is `Ready`, `Broken`, or has an `Exit`. The end of a
connection is the end of its workers. The zygote computes nothing (a TensorFlow operation before the fork deadlocks
every child) and reads nothing that a worker's code could write. It ends when its standard input does, so a supervisor
that dies leaves no zygote behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import io
import math
import os
import selectors
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, TextIO

import msgspec

from gradetape.errors import SandboxError
from gradetape.records import Slot
from gradetape.sandbox import syscalls, tree
from gradetape.sandbox.bare import BareSandbox
from gradetape.sandbox.base import ELSEWHERE, ROLES, STUDENT_UIDS, Policy, Sandbox, SandboxUnavailable, Uids
from gradetape.sandbox.groups import Group, Groups
from gradetape.sandbox.namespaces import NamespaceSandbox
from gradetape.sandbox.plain import PlainSandbox
from gradetape.sandbox.reports import Ended, Failed, Init, Pipe, Reader, Report, SandboxReady
from gradetape.wire.messages import Allow, Broken, Exit, Kill, Ready, Spawn, ZygoteEvent, ZygoteRequest

_DATA, _REPORT = 100, 101
_PACKET = 1 << 16
_LOOK_S = 0.2
_DAEMON_S = 5.0
_BACKENDS: dict[str, tuple[Callable[[Policy, bool], Sandbox], ...]] = {
    "namespaces": (NamespaceSandbox, PlainSandbox),
    "none": (BareSandbox,),
}


class WorkerProcess:
    """A worker as the zygote sees it."""

    def __init__(
        self, number: int, pid: int, uid: int, pipe: Reader, group: Group | None, owner: socket.socket | None
    ) -> None:
        self.number, self.pid, self.uid, self.pipe, self.group, self.owner = number, pid, uid, pipe, group, owner
        self.limit_s = math.inf
        self._init: Init | None = None
        self._ended: Ended | None = None
        self._doomed = self._overspent = False
        self._seen_s = 0.0

    def hears(self, report: Report) -> None:
        """Keeps what its outer processes told."""
        if isinstance(report, Ended):
            self._ended = report
        if isinstance(report, Init):
            self._init = report
            if self._doomed:
                self.kill()

    def kill(self) -> None:
        """Ends its whole tree, as soon as its outermost process has said how: that one must not go before the tree."""
        self._doomed = True
        if self._init:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init.pid, self._init.signal)

    def allow(self, order: Allow) -> None:
        """Begins a new count of the CPU seconds that it may use."""
        self.limit_s = min(self._cpu_s() + order.cpu_s, math.inf if order.total_s is None else order.total_s)

    def look(self) -> None:
        """Ends it if it has used more CPU seconds than it may."""
        if not self._doomed and self._cpu_s() >= self.limit_s:
            self._overspent = True
            self.kill()

    def reap(self) -> Exit:
        """Waits for the outermost process, which is about to end; how the worker ended."""
        self.pipe.close()
        os.waitpid(self.pid, 0)
        ended = self._ended or Ended(signal.SIGKILL, 0.0, 0)
        kills, used = 0, max(ended.cpu_s, self._seen_s)
        if self.group:
            self.group.kill()
            kills, used = self.group.oom_kills, max(self.group.cpu_s or 0.0, used)
            self.group.remove()
        # Nothing inside can end an init: it was not the student's code that kept this one from telling.
        lost = self._ended is None and not self._doomed and not kills
        return Exit(self.number, ended.status, kills, used, ended.peak_mb, self._overspent, lost)

    def _cpu_s(self) -> float:
        counted = self.group.cpu_s if self.group else None
        self._seen_s = tree.cpu_s(self.pid) if counted is None else counted
        return self._seen_s


class Zygote:
    """The event loop: connections of judges, and the report pipes of their workers."""

    def __init__(self, policy: Policy, supervisor: TextIO) -> None:
        self._policy = policy
        self._supervisor = supervisor
        self._groups = Groups(policy.limits)
        self._uids = Uids()
        self._walls: Sandbox
        self._selector = selectors.DefaultSelector()
        self._children: dict[socket.socket, dict[int, WorkerProcess]] = {}
        self._living: set[WorkerProcess] = set()
        self._look_at = 0.0
        self._orders = msgspec.json.Decoder(ZygoteRequest)

    def serve(self) -> None:
        """Imports and listens until standard input ends; then ends every worker and removes every group."""
        try:
            self._choose()
            _import_everything()
            self._listen()
        finally:
            self._end()

    def _choose(self) -> None:
        """The first walls that stand in a rehearsal; raises WallsError where none do."""
        if self._policy.isolation != "none":
            self._groups.require()
        refusals: list[str] = []
        for backend in _BACKENDS[self._policy.isolation]:
            self._walls = backend(self._policy, self._groups.each)
            try:
                self._walls.check()
                self._rehearse()
                return
            except SandboxError as refusal:
                refusals.append(str(refusal))
                if not isinstance(refusal, SandboxUnavailable):
                    break
        raise SandboxError(" And without namespaces: ".join(refusals))

    def _rehearse(self) -> None:
        """A worker that only leaves a daemon: its walls stand, and the daemon ends with it."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                child = self._fork(None, 0, theirs.fileno(), _leave_a_daemon)
            told: list[Report] = []
            while (reports := child.pipe.read()) is not None:
                told += reports
            child.reap()
            _refuse_broken(told)
            ours.settimeout(_DAEMON_S)
            try:
                ours.recv(1)
            except TimeoutError:
                raise SandboxError(
                    f"no kill reaches all that a worker starts: a daemon has outlived it. {ELSEWHERE}"
                ) from None

    def _listen(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as listener:
            listener.bind(self._policy.socket)
            os.chmod(self._policy.socket, 0o666)  # the folder says who may come; an engine may have mapped our uid
            listener.listen(64)
            self._selector.register(listener, selectors.EVENT_READ, None)
            self._selector.register(0, selectors.EVENT_READ, None)
            self._supervisor.write("ready\n")
            while self._turn(listener):
                pass

    def _end(self) -> None:
        for owner in list(self._children):
            self._hang_up(owner)
        while self._living:
            for child in list(self._living):
                self._hear(child)
        self._groups.remove()

    def _turn(self, listener: socket.socket) -> bool:
        for key, _ in self._selector.select(self._patience()):
            if key.fileobj == 0:
                return False
            if key.fileobj is listener:
                self._welcome(listener)
            elif isinstance(key.data, WorkerProcess):
                self._hear(key.data)
            else:
                self._obey(key.fileobj)
        self._look()
        return True

    def _patience(self) -> float | None:
        """Until when to sleep: for ever where no worker's CPU seconds are limited."""
        if all(child.limit_s == math.inf for child in self._living):
            return None
        return max(self._look_at - time.monotonic(), 0.0)

    def _look(self) -> None:
        """Looks at what the workers use, a few times a second."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_S
        for child in self._living:
            if child.limit_s < math.inf:
                child.look()

    def _welcome(self, listener: socket.socket) -> None:
        """A judge's connection; students' code, which has no business here, is refused."""
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid in STUDENT_UIDS:
            connection.close()
            return
        self._children[connection] = {}
        self._selector.register(connection, selectors.EVENT_READ, None)

    def _obey(self, connection: Any) -> None:
        """One order of a judge's; a malformed one ends that connection and nothing else."""
        if connection not in self._children:
            return
        descriptors: list[int] = []
        try:
            data, descriptors, _, _ = socket.recv_fds(connection, _PACKET, 1)
            order = self._orders.decode(data) if data else None
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):  # wrong UTF-8 is a ValueError
            order = None
        match order:
            case Spawn(worker) if descriptors and worker not in self._children[connection]:
                self._spawn(connection, order, descriptors[0])
            case Kill(worker):
                if child := self._children[connection].get(worker):
                    child.kill()
            case Allow(worker):
                if child := self._children[connection].get(worker):
                    child.allow(order)
            case _:
                self._hang_up(connection)
        for descriptor in descriptors:
            os.close(descriptor)

    def _spawn(self, connection: socket.socket, order: Spawn, data: int) -> None:
        number = order.worker
        try:
            if order.role not in ROLES:
                raise SandboxError(f"there is no role {order.role}")
            child = self._fork(connection, number, data, lambda: _work(self._policy.limits.output_kb << 10, order.slot))
        except (SandboxError, OSError) as error:
            self._tell(connection, Broken(number, str(error)))
            self._tell(connection, Exit(number, signal.SIGKILL))
            return
        self._living.add(child)
        self._children[connection][number] = child
        self._selector.register(child.pipe, selectors.EVENT_READ, child)

    def _fork(
        self, connection: socket.socket | None, number: int, data: int, work: Callable[[], None]
    ) -> WorkerProcess:
        uid = self._uids.take(child.uid for child in self._living)
        group = self._groups.make()
        read, write = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            os.close(read)
            os.close(write)
            if group:
                group.remove()
            raise
        if pid == 0:
            self._become(uid, group, data, write, work)
        os.close(write)
        return WorkerProcess(number, pid, uid, Reader(read), group, connection)

    def _become(self, uid: int, group: Group | None, data: int, write: int, work: Callable[[], None]) -> NoReturn:
        """In the child: nothing of the zygote's but the data socket and the report pipe, then the walls."""
        pipe = Pipe(_REPORT)
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if group:
                group.join()
            write = fcntl.fcntl(write, fcntl.F_DUPFD, _REPORT + 1)  # it might be _DATA itself
            os.dup2(data, _DATA, inheritable=False)
            os.dup2(write, _REPORT, inheritable=False)
            nothing = os.open("/dev/null", os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
            syscalls.close_from(3, _DATA - 1)
            syscalls.close_from(_REPORT + 1)
            self._walls.enter(uid, work, pipe, _DATA)
        except BaseException as error:
            reason = str(error) if isinstance(error, SandboxError | OSError) else traceback.format_exc()[-2000:]
            try:
                pipe.failed(reason, isinstance(error, SandboxUnavailable))
            finally:
                os._exit(98)
        os._exit(99)

    def _hear(self, child: WorkerProcess) -> None:
        reports = child.pipe.read()
        if reports is None:
            self._selector.unregister(child.pipe)
            self._living.discard(child)
            if child.owner in self._children:
                self._children[child.owner].pop(child.number, None)
            self._tell(child.owner, child.reap())
            return
        for report in reports:
            child.hears(report)
            if isinstance(report, SandboxReady):
                self._tell(child.owner, Ready(child.number, (*report.layers, *self._groups.layers)))
            if isinstance(report, Failed):
                self._tell(child.owner, Broken(child.number, report.reason))

    def _tell(self, connection: socket.socket | None, news: ZygoteEvent) -> None:
        if connection is None or connection not in self._children:
            return
        try:
            connection.send(msgspec.json.encode(news), socket.MSG_DONTWAIT)
        except OSError:
            self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        """A judge is gone: so are its workers."""
        for child in self._children.pop(connection, {}).values():
            child.kill()
        self._selector.unregister(connection)
        connection.close()


def _leave_a_daemon() -> None:
    """A process in a session of its own, whose parent is gone; it keeps the data socket open."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(2 * _DAEMON_S)
        os._exit(0)
    os.wait()


def _refuse_broken(told: list[Report]) -> None:
    """Raises WallsError, or NotHere, unless the walls of a rehearsal stand."""
    for report in told:
        if isinstance(report, Failed):
            raise (SandboxUnavailable if report.elsewhere else SandboxError)(report.reason)
    if not any(isinstance(report, SandboxReady) for report in told):
        raise SandboxError("a worker ended before its walls stood. Is there memory for it (limits.memory_mb)?")


def _work(output_limit: int, slot: Slot) -> None:
    from gradetape.worker.worker import Worker

    if slot.device:  # CUDA has not been touched yet, and reads this when it is
        os.environ["CUDA_VISIBLE_DEVICES"] = slot.device
        os.environ["CUDA_CACHE_PATH"] = os.path.join(os.environ["TMPDIR"], "cuda")
    Worker(socket.socket(fileno=_DATA), output_limit, slot.memory_mb).serve()


def _import_everything() -> None:
    """Imports whatever a worker needs, so that no worker has to, and shows that nothing was computed by that."""
    import gradetape.worker.worker  # noqa: F401, I001
    import h5py  # noqa: F401
    from tensorflow.python.eager import context

    if context.context()._context_handle is not None:
        raise SandboxError(
            "importing TensorFlow computed something: its forks would deadlock. Install the TensorFlow that gradetape "
            "asks for: pip install 'gradetape[cpu]'"
        )
    gc.collect()
    gc.freeze()


def main() -> int:
    """Reads the policy from the first line of standard input, imports, and serves."""
    policy = msgspec.json.decode(io.FileIO(0, closefd=False).readline(), type=Policy)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as pid 1 of a container it would be ignored
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(os.dup(1), "w", buffering=1) as supervisor:
        os.dup2(2, 1)  # what the imports print is not for the supervisor
        try:
            Zygote(policy, supervisor).serve()
        except SandboxError as error:
            supervisor.write(f"broken {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
