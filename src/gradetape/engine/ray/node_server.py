"""The server of a node: a `LocalEngine` in a process of its own, which a node's actor starts and talks to.

`python -m gradetape.engine.ray.node_server` reads its requests from a socket on descriptor 0. It is started as a new
program and never forked from Ray's worker, which has threads. It knows nothing of Ray and has none of its variables.
The check files are in a private folder, the reference and the seed in memory alone; both are gone when it ends. When
the socket is closed, also because its actor was killed, it ends everything that it has started, removes it, and ends.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from gradetape.course.config import Config
from gradetape.engine.base import Finished
from gradetape.engine.local import LocalEngine
from gradetape.engine.own_code import own_code
from gradetape.engine.ray.messages import (
    CancelHere,
    Describe,
    EndedHere,
    JobSecrets,
    KeepSecrets,
    NodeRefused,
    NodeReply,
    NodeReport,
    NodeRequest,
    NodeSettings,
    Prepare,
    Renewed,
    RenewHere,
    RunHere,
    address_of,
    with_secrets,
)
from gradetape.errors import GradetapeError
from gradetape.records import AssignmentBundle, Lost, Said
from gradetape.runtime.hidden import refuse_visible
from gradetape.runtime.slots import Slots
from gradetape.wire.message_channel import MessageChannel


class NodeServer:
    """Answers requests, one after the other, while jobs run."""

    def __init__(self, channel: MessageChannel) -> None:
        self._channel = channel
        self._slots: Slots | None = None
        self._engine: LocalEngine | None = None
        self._secrets: dict[str, JobSecrets] = {}
        self._numbers: dict[int, int] = {}  # the engine's number of a job -> the requester's

    def serve(self) -> None:
        """Serves until the channel is closed; then ends every worker and removes every folder."""
        try:
            with suppress(EOFError, ConnectionError):
                while True:
                    self._turn()
        finally:
            self._close()

    def _turn(self) -> None:
        ours, judge = self._channel.fileno(), None if self._engine is None else self._engine.descriptor()
        readable, _, _ = select.select([ours] if judge is None else [ours, judge], [], [])
        if judge in readable and self._engine is not None:
            for ended, outcome in self._finished(self._engine):
                if (number := self._numbers.pop(ended, None)) is not None:
                    self._channel.send(EndedHere(number=number, outcome=outcome))
        if ours in readable:
            request: NodeRequest = self._channel.receive(NodeRequest)
            if (reply := self._answered(request)) is not None:
                self._channel.send(reply)

    def _finished(self, engine: LocalEngine) -> list[Finished]:
        """The jobs that have ended; if the engine fails, all of them are lost, and it starts anew with the next."""
        try:
            return engine.wait(0)
        except (GradetapeError, OSError) as error:
            with suppress(GradetapeError, OSError):
                engine.renew()
            # A hidden check may have begun, so nothing that was said reaches the student.
            return [(number, Lost(reason=str(error), said=Said())) for number in self._numbers]

    def _answered(self, request: NodeRequest) -> NodeReply | None:
        try:
            return self._done(request)
        except (GradetapeError, OSError) as error:
            if isinstance(request, RunHere):
                return EndedHere(number=request.number, outcome=Lost(reason=str(error)))
            return NodeRefused(reason=str(error)) if isinstance(request, Describe | Prepare | RenewHere) else None

    def _done(self, request: NodeRequest) -> NodeReply | None:
        match request:
            case Describe():
                return self._report(request)
            case Prepare(bundle=bundle, jobs=jobs):
                self._close()
                self._engine = LocalEngine(bundle, self._proven_slots())
                self._engine.expect(jobs)
                return self._engine.collected
            case KeepSecrets(digest=digest, data=data):
                if address_of(data) == digest:
                    self._secrets[digest] = msgspec.msgpack.decode(data, type=JobSecrets)
            case RunHere():
                self._run(request)
            case CancelHere(number=number):
                self._cancel(number)
            case RenewHere():
                self._proven_engine().renew()
                self._numbers.clear()
                return Renewed()
        return None

    def _report(self, request: Describe) -> NodeReport:
        settings = request.settings
        secret = tuple(map(Path, (*settings.secret, *request.secret)))
        self._slots = slots_of(settings, request.processors, secret)
        if self._slots.isolation == "namespaces":
            refuse_visible((*map(Path, settings.hidden), *secret))
        empty = AssignmentBundle(
            assignment="", keras=self._slots.keras, limits=self._slots.limits, files={}, packages=settings.packages
        )
        environment = LocalEngine(empty, self._slots).environment
        return NodeReport(environment=environment, slots=len(self._slots.slots), code=own_code())

    def _run(self, request: RunHere) -> None:
        secrets = self._secrets.get(request.digest)
        if secrets is None:
            self._channel.send(EndedHere(number=request.number, outcome=Lost(reason="the reference did not arrive")))
            return
        number = self._proven_engine().submit(with_secrets(request.job, secrets))
        self._numbers[number] = request.number

    def _cancel(self, number: int) -> None:
        for ours, theirs in list(self._numbers.items()):
            if theirs == number:
                del self._numbers[ours]
                self._proven_engine().forget(ours)

    def _proven_slots(self) -> Slots:
        assert self._slots is not None, "a node is described before it is prepared"
        return self._slots

    def _proven_engine(self) -> LocalEngine:
        assert self._engine is not None, "a node is prepared before it judges"
        return self._engine

    def _close(self) -> None:
        self._numbers.clear()
        if self._engine is not None:
            self._engine.close()
        self._engine = None


def slots_of(settings: NodeSettings, processors: int, secret: tuple[Path, ...]) -> Slots:
    """The slots of this node; raises DeviceError if a GPU is requested and there is none, EngineError without an image.

    Without `workers` there is one slot for each of the processors that Ray grants.
    """
    config = Config.model_validate_json(settings.config)
    return Slots.of(
        config, workers=settings.workers or processors, isolation=settings.isolation, device=settings.device,
        secret=secret,
    )  # fmt: skip


def _end(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def main() -> None:
    """Serves on descriptor 0."""
    signal.signal(signal.SIGTERM, _end)
    channel = MessageChannel(socket.socket(fileno=os.dup(0)))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if os.fork():  # a worker of Ray that ends kills its children, and this one has something to clean up
        os._exit(0)
    NodeServer(channel).serve()


if __name__ == "__main__":
    main()
