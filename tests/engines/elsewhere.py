"""An engine in another process: `python -m tests.engines.elsewhere` serves a LocalEngine, `Elsewhere` is its client.

The two share nothing but bytes: each message is a length and a msgpack value on the process's standard streams. The
server runs in an empty folder, and has only the bundle's part of the course.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec

from gradetape.engine import Finished, LocalEngine
from gradetape.records import AssignmentBundle, CollectedChecks, Environment, Job, Lost, Outcome, Slot
from gradetape.runtime.slots import Slots

_LENGTH = struct.Struct("<Q")


def send(stream: BinaryIO, value: object) -> None:
    body = msgspec.msgpack.encode(value)
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def receive(stream: BinaryIO, kind: Any) -> Any:
    (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
    return msgspec.msgpack.decode(stream.read(length), type=kind)


class Elsewhere:
    """The contract, with each call sent to another process and its result received."""

    def __init__(self, bundle: AssignmentBundle, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.elsewhere"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            cwd=folder, env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert self._process.stdin and self._process.stdout
        self._to, self._from = self._process.stdin, self._process.stdout
        send(self._to, bundle)

    @property
    def environment(self) -> Environment:
        return self._ask("environment", Environment)  # type: ignore[no-any-return]

    @property
    def collected(self) -> CollectedChecks:
        return self._ask("collected", CollectedChecks)  # type: ignore[no-any-return]

    def capacity(self) -> int:
        return self._ask("capacity", int)  # type: ignore[no-any-return]

    @property
    def parts(self) -> int:
        return 1

    def expect(self, jobs: int) -> None:
        self._ask("expect", None, jobs)

    def submit(self, job: Job) -> int:
        return self._ask("submit", int, job)  # type: ignore[no-any-return]

    def wait(self, timeout_s: float) -> list[Finished]:
        return self._ask("wait", list[tuple[int, Outcome | Lost]], timeout_s)  # type: ignore[no-any-return]

    def forget(self, number: int) -> None:
        self._ask("forget", None, number)

    def renew(self) -> None:
        self._ask("renew", None)

    def recollect(self, bundle: AssignmentBundle) -> None:
        self._ask("recollect", None, bundle)

    def close(self) -> None:
        """Closes the connection, after which the other process ends; may be called again."""
        self._to.close()
        self._process.wait(60)
        self._from.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, name: str, kind: Any, *args: object) -> Any:
        send(self._to, [name, msgspec.Raw(msgspec.msgpack.encode(args[0] if args else None))])
        return receive(self._from, kind)


_ARGUMENTS = {"expect": int, "submit": Job, "wait": float, "forget": int, "recollect": AssignmentBundle}


def main() -> None:
    """Serves until the client closes the connection."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    bundle = receive(requests, AssignmentBundle)
    slots = Slots(slots=(Slot(),), isolation="namespaces", limits=bundle.limits, keras=bundle.keras, secret=())
    with LocalEngine(bundle, slots) as engine:
        while True:
            try:
                name, argument = receive(requests, tuple[str, msgspec.Raw])
            except struct.error:
                return
            member = getattr(engine, name)
            if not callable(member):
                send(replies, member)
            elif name in _ARGUMENTS:
                send(replies, member(msgspec.msgpack.decode(argument, type=_ARGUMENTS[name])))
            else:
                send(replies, member())


if __name__ == "__main__":
    main()
