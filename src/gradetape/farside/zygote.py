"""The zygote: imports TensorFlow once, then forks a worker for whoever asks.

`python -m gradetape.farside.zygote` reads its policy from standard input and listens on a sequenced-packet socket.
Every connection is one judge's child: `Spawn` brings a worker's data socket along (so that it has no name that anyone
could connect to), `Kill` ends a worker; the zygote tells when one is `Ready`, `Broken`, or has an `Exit`. The end of a
connection is the end of its workers. The zygote computes nothing (a TensorFlow operation before the fork deadlocks
every child) and reads nothing that a worker's code could write. It ends when its standard input does, so a supervisor
that dies leaves no zygote behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import io
import os
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, TextIO

import msgspec

from gradetape.errors import WallsError
from gradetape.sandbox import syscalls
from gradetape.sandbox.bare import Bare
from gradetape.sandbox.base import STUDENT_UIDS, Policy, Walls
from gradetape.sandbox.limits import Group, Groups
from gradetape.sandbox.namespaces import Namespaces
from gradetape.wire.control import Broken, Exit, Kill, News, Order, Ready, Spawn

_DATA, _REPORT = 100, 101
_PACKET = 1 << 16
_BACKENDS: dict[str, Callable[[Policy, bool], Walls]] = {"namespaces": Namespaces, "none": Bare}


class Init(msgspec.Struct, frozen=True, tag="init"):
    """A worker's outer process tells the zygote whom to kill."""

    pid: int


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A worker's init tells how the worker's own process ended."""

    status: int
    cpu_s: float
    peak_mb: int


class Stands(msgspec.Struct, frozen=True, tag="stands"):
    """A worker tells that its walls stand."""

    layers: tuple[str, ...]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A worker tells that a wall could not be built."""

    reason: str


Report = Init | Ended | Stands | Failed


class Pipe:
    """The writing end of a worker's report pipe: `sandbox.base.Reports`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def ready(self, layers: tuple[str, ...]) -> None:
        """Tells that the walls stand, and closes this process's end for good."""
        self._write(Stands(layers))
        os.close(self._descriptor)

    def init(self, pid: int) -> None:
        """Tells whom to kill."""
        self._write(Init(pid))

    def ended(self, status: int, cpu_s: float, peak_mb: int) -> None:
        """Tells how the worker ended."""
        self._write(Ended(status, cpu_s, peak_mb))

    def failed(self, reason: str) -> None:
        """Tells that a wall could not be built."""
        self._write(Failed(reason))

    def _write(self, report: Report) -> None:
        os.write(self._descriptor, msgspec.json.encode(report) + b"\n")


class Child:
    """A worker as the zygote sees it."""

    def __init__(self, number: int, pid: int, pipe: int, group: Group | None, owner: socket.socket) -> None:
        self.number, self.pid, self.pipe, self.group, self.owner = number, pid, pipe, group, owner
        self.init: int | None = None
        self.ended: Ended | None = None
        self.doomed = False
        self._pending = b""

    def read(self) -> list[Report] | None:
        """What its outer processes said, or None when all of them are gone."""
        data = os.read(self.pipe, _PACKET)
        if not data:
            return None
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [msgspec.json.decode(line, type=Report) for line in lines]

    def kill(self) -> None:
        """Ends its whole tree."""
        self.doomed = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.init or self.pid, signal.SIGKILL)

    def reap(self) -> Exit:
        """Waits for the outermost process, which is about to end; how the worker ended."""
        os.close(self.pipe)
        os.waitpid(self.pid, 0)
        kills = self.group.oom_kills if self.group else 0
        if self.group:
            self.group.kill()
            self.group.remove()
        ended = self.ended or Ended(signal.SIGKILL, 0.0, 0)
        # Nothing inside can end an init: it was not the student's code that kept this one from telling.
        lost = self.ended is None and not self.doomed and not kills
        return Exit(self.number, ended.status, kills, ended.cpu_s, ended.peak_mb, lost)


class Zygote:
    """The event loop: connections of judges, and the report pipes of their workers."""

    def __init__(self, policy: Policy, supervisor: TextIO) -> None:
        self._policy = policy
        self._supervisor = supervisor
        self._groups = Groups(policy.limits)
        self._walls = _BACKENDS[policy.isolation](policy, self._groups.available)
        self._selector = selectors.DefaultSelector()
        self._children: dict[socket.socket, dict[int, Child]] = {}
        self._living: set[Child] = set()
        self._orders = msgspec.json.Decoder(Order)

    def serve(self) -> None:
        """Imports and listens until standard input ends; then ends every worker and removes every group."""
        try:
            self._walls.check()
            _import_everything()
            self._listen()
        finally:
            self._end()

    def _listen(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as listener:
            listener.bind(self._policy.socket)
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
        for key, _ in self._selector.select():
            if key.fileobj == 0:
                return False
            if key.fileobj is listener:
                self._welcome(listener)
            elif isinstance(key.data, Child):
                self._hear(key.data)
            else:
                self._obey(key.fileobj)
        return True

    def _welcome(self, listener: socket.socket) -> None:
        """A judge's connection; students' code, which has no business here, is refused."""
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid in STUDENT_UIDS.values():
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
            case Spawn(worker, role) if descriptors and worker not in self._children[connection]:
                self._spawn(connection, worker, role, descriptors[0])
            case Kill(worker):
                if child := self._children[connection].get(worker):
                    child.kill()
            case _:
                self._hang_up(connection)
        for descriptor in descriptors:
            os.close(descriptor)

    def _spawn(self, connection: socket.socket, number: int, role: str, data: int) -> None:
        try:
            child = self._fork(connection, number, role, data)
        except (WallsError, OSError) as error:
            self._tell(connection, Broken(number, str(error)))
            self._tell(connection, Exit(number, signal.SIGKILL))
            return
        self._living.add(child)
        self._children[connection][number] = child
        self._selector.register(child.pipe, selectors.EVENT_READ, child)

    def _fork(self, connection: socket.socket, number: int, role: str, data: int) -> Child:
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
            self._become(role, group, data, write)
        os.close(write)
        return Child(number, pid, read, group, connection)

    def _become(self, role: str, group: Group | None, data: int, write: int) -> NoReturn:
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
            self._walls.enter(role, lambda: _work(self._policy.limits.output_kb << 10), pipe, _DATA)
        except BaseException as error:
            reason = str(error) if isinstance(error, WallsError | OSError) else traceback.format_exc()[-2000:]
            try:
                pipe.failed(reason)
            finally:
                os._exit(98)
        os._exit(99)

    def _hear(self, child: Child) -> None:
        reports = child.read()
        if reports is None:
            self._selector.unregister(child.pipe)
            self._living.discard(child)
            self._children.get(child.owner, {}).pop(child.number, None)
            self._tell(child.owner, child.reap())
            return
        for report in reports:
            match report:
                case Init(pid):
                    child.init = pid
                    if child.doomed:
                        child.kill()
                case Ended():
                    child.ended = report
                case Stands(layers):
                    memory = ("memory",) if child.group else ()
                    self._tell(child.owner, Ready(child.number, (*layers, *memory)))
                case Failed(reason):
                    self._tell(child.owner, Broken(child.number, reason))

    def _tell(self, connection: socket.socket, news: News) -> None:
        if connection not in self._children:
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


def _work(output_limit: int) -> None:
    from gradetape.farside.worker import Worker

    Worker(socket.socket(fileno=_DATA), output_limit).serve()


def _import_everything() -> None:
    """Imports whatever a worker needs, so that no worker has to, and shows that nothing was computed by that."""
    import gradetape.farside.worker  # noqa: F401, I001
    import h5py  # noqa: F401
    from tensorflow.python.eager import context

    if context.context()._context_handle is not None:
        raise WallsError("importing TensorFlow computed something: its forks would deadlock")
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
        except WallsError as error:
            supervisor.write(f"broken {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
