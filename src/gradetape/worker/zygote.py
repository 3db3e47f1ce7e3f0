"""The zygote: imports TensorFlow once, then forks workers on request.

`python -m gradetape.worker.zygote` reads its policy from standard input (all but the hidden folders, which only the
rehearsal of the sandbox reads, in a process of its own) and listens on a sequenced-packet socket. Every
connection is one judge's child. `Spawn` carries a worker's data socket (so that it has no name to connect to), `Kill`
ends a worker, `Allow` limits its CPU seconds, which the zygote measures from outside, `Look` compares its memory with
the zygote's own; the zygote reports when one is `Ready`, `Broken`, was `Looked` at, or has an `Exit`. The end of a
connection is the end of its workers. The zygote computes nothing (a TensorFlow operation before the fork deadlocks
every child). Of what a student's code could write it reads nothing but words of memory, and compares them as numbers.
It ends when its standard input does, so a supervisor that dies leaves no zygote behind.
"""

from __future__ import annotations

import io
import math
import os
import selectors
import signal
import socket
import struct
import sys
import time
from functools import partial
from typing import Any, TextIO

import msgspec

from gradetape.errors import SandboxError
from gradetape.records import Slot
from gradetape.sandbox.base import ROLES, STUDENT_UIDS, Policy
from gradetape.sandbox.limits import raise_descriptors
from gradetape.sandbox.reports import Failed, SandboxReady
from gradetape.wire.messages import (
    BY_ITSELF,
    FROM_OUTSIDE,
    Allow,
    Broken,
    Exit,
    Kill,
    Look,
    Looked,
    Ready,
    Spawn,
    ZygoteEvent,
    ZygoteRequest,
)
from gradetape.worker.forker import Forker
from gradetape.worker.process import WorkerProcess
from gradetape.worker.warm import WarmWorker, warm_up

_PACKET = 1 << 16
_ENFORCE_S = 0.2


class Zygote:
    """The event loop: connections of judges, and the report channels of their workers.

    Large because each kind of event has a method.
    """

    def __init__(self, policy: Policy, supervisor: TextIO) -> None:
        self._policy = policy
        self._supervisor = supervisor
        self._forker = Forker(policy)
        self._warm: WarmWorker
        self._selector = selectors.DefaultSelector()
        self._children: dict[socket.socket, dict[int, WorkerProcess]] = {}
        self._living: set[WorkerProcess] = set()
        self._enforce_at = 0.0
        self._requests = msgspec.json.Decoder(ZygoteRequest)

    def serve(self) -> None:
        """Imports and serves until standard input ends; then ends every worker and removes every control group."""
        raise_descriptors()
        try:
            self._forker.choose()
            self._warm = warm_up(self._policy.limits.output_kb << 10, sys._getframe())
            self._listen()
        finally:
            self._end()

    def _listen(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as listener:
            listener.bind(self._policy.socket)
            os.chmod(self._policy.socket, 0o666)  # its folder keeps others out; an engine may have mapped our uid
            listener.listen(64)
            self._selector.register(listener, selectors.EVENT_READ, None)
            self._selector.register(0, selectors.EVENT_READ, None)
            self._supervisor.write("ready\n")
            while self._turn(listener):
                pass

    def _end(self) -> None:
        for owner in list(self._children):
            self._disconnect(owner)
        while self._living:
            for child in list(self._living):
                self._read_reports(child)
        self._forker.close()

    def _turn(self, listener: socket.socket) -> bool:
        for key, _ in self._selector.select(self._timeout()):
            if key.fileobj == 0:
                return False
            if key.fileobj is listener:
                self._accept(listener)
            elif isinstance(key.data, WorkerProcess):
                self._read_reports(key.data)
            else:
                self._handle(key.fileobj)
        self._enforce()
        return True

    def _timeout(self) -> float | None:
        """How long to sleep: without limit if no worker's CPU seconds are limited."""
        if all(child.limit_s == math.inf for child in self._living):
            return None
        return max(self._enforce_at - time.monotonic(), 0.0)

    def _enforce(self) -> None:
        """Checks the CPU seconds of the workers, a few times a second."""
        if time.monotonic() < self._enforce_at:
            return
        self._enforce_at = time.monotonic() + _ENFORCE_S
        for child in self._living:
            if child.limit_s < math.inf:
                child.enforce()

    def _accept(self, listener: socket.socket) -> None:
        """Accepts a judge's connection; refuses connections from students' code."""
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

    def _handle(self, connection: Any) -> None:
        """Handles one request of a judge; a malformed request ends only that connection."""
        if connection not in self._children:
            return
        descriptors: list[int] = []
        try:
            data, descriptors, _, _ = socket.recv_fds(connection, _PACKET, 1)
            request = self._requests.decode(data) if data else None
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):  # wrong UTF-8 is a ValueError
            request = None
        match request:
            case Spawn(worker) if descriptors and worker not in self._children[connection]:
                self._spawn(connection, request, descriptors[0])
            case Kill(worker):
                if child := self._children[connection].get(worker):
                    child.kill()
            case Allow(worker):
                if child := self._children[connection].get(worker):
                    child.allow(request)
            case Look(worker):
                self._send(connection, self._looked(self._children[connection].get(worker), request))
            case _:
                self._disconnect(connection)
        for descriptor in descriptors:
            os.close(descriptor)

    def _spawn(self, connection: socket.socket, request: Spawn, data: int) -> None:
        number = request.worker
        try:
            if request.role not in ROLES:
                raise SandboxError(f"there is no role {request.role}")
            work = partial(_work, self._warm, request.slot)
            used = [child.uid for child in self._living]
            child = self._forker.fork(connection, number, data, work, used, request.slot)
        except (SandboxError, OSError) as error:
            self._send(connection, Broken(number, str(error)))
            self._send(connection, Exit(number, signal.SIGKILL))
            return
        for other in self._living:
            if other.owner is not connection:
                other.crowded = child.crowded = True
        self._living.add(child)
        self._children[connection][number] = child
        self._selector.register(child.pipe, selectors.EVENT_READ, child)

    def _read_reports(self, child: WorkerProcess) -> None:
        reports = child.pipe.read()
        if reports is None:
            self._selector.unregister(child.pipe)
            self._living.discard(child)
            if child.owner in self._children:
                self._children[child.owner].pop(child.number, None)
            self._send(child.owner, child.reap())
            return
        for report in reports:
            child.note(report)
            if isinstance(report, SandboxReady):
                compared = FROM_OUTSIDE if self._warm.comparison and child.pipe.memory else BY_ITSELF
                self._send(child.owner, Ready(child.number, (*report.layers, *self._forker.layers, compared)))
            if isinstance(report, Failed):
                self._send(child.owner, Broken(child.number, report.reason))

    def _looked(self, child: WorkerProcess | None, request: Look) -> Looked:
        memory, comparison = child.pipe.memory if child else None, self._warm.comparison
        if child is None or memory is None or comparison is None:
            return Looked(request.worker, problem="its process has ended")
        return comparison.look(memory, child.data_inode, request)

    def _send(self, connection: socket.socket | None, event: ZygoteEvent) -> None:
        if connection is None or connection not in self._children:
            return
        try:
            connection.send(msgspec.json.encode(event), socket.MSG_DONTWAIT)
        except OSError:
            self._disconnect(connection)

    def _disconnect(self, connection: socket.socket) -> None:
        """Ends a judge's connection and its workers."""
        for child in self._children.pop(connection, {}).values():
            child.kill()
        self._selector.unregister(connection)
        connection.close()


def _work(warm: WarmWorker, slot: Slot) -> None:
    if slot.device:  # CUDA is not initialized yet, and will read this
        os.environ["CUDA_VISIBLE_DEVICES"] = slot.device
        os.environ["CUDA_CACHE_PATH"] = os.path.join(os.environ["TMPDIR"], "cuda")
    warm.serve(slot.memory_mb)


def main() -> int:
    """Reads the policy from the first line of standard input, imports, and serves."""
    policy = msgspec.json.decode(io.FileIO(0, closefd=False).readline(), type=Policy)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # pid 1 of a container would ignore it otherwise
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(os.dup(1), "w", buffering=1) as supervisor:
        os.dup2(2, 1)  # what the imports print does not go to the supervisor
        try:
            Zygote(policy, supervisor).serve()
        except SandboxError as error:
            supervisor.write(f"broken {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
