"""Feeds both ends of the wire with what nobody should send.

    python -m tests.fuzz [--seconds 60] [--seed 1] [--again judge:1234]

*judge*: replies of a far side that has gone bad, read by the judge's end of a worker. *news*: packets of a zygote that
has gone bad, read by a control connection. *orders*: packets to a real zygote, with descriptors and without.

Each turn has a number; its bytes are drawn from that and the seed. A turn is bad if it ends in anything but plain data
or one of the exceptions that are meant for it, if it takes long, or if memory, descriptors or processes grow.
"""

from __future__ import annotations

import array
import random
import resource
import socket
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import click
import msgspec
import numpy as np
import psutil
from rich.console import Console

from gradetape.errors import InfrastructureError, StudentError, WorkerEvent
from gradetape.records import Limits
from gradetape.remote.handles import Handle
from gradetape.remote.session import CheckBudget, RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.sandbox.base import STUDENT_UIDS
from gradetape.wire.codec import Encoder
from gradetape.wire.messages import Broken, Exit, Kill, Ready, Spawn
from gradetape.wire.values import Ref
from tests.far import started
from tests.frames import MALFORMED, is_plain
from tests.processes import until

CPU_S = 5.0
HANGS_S = 30.0
GROWTH_MB = 300
PACKET = 1 << 16
VALUES: tuple[object, ...] = (
    None, True, 3, -(1 << 70), 2.5, "text", "\ud800", b"bytes", [1, [2, [3]]], (1, (2,)), {"a": {"b": [1.0]}},
    slice(1, 2), np.float32(2), np.arange(6, dtype="int16").reshape(2, 3), np.array(["a", "bc"]), np.zeros((0, 3)),
    np.dtype("float64"), Ref(7, "object", "a.B"), Ref(8, "tensor", "Tensor"), [Ref(9, "variable", "x")] * 2,
)  # fmt: skip
STATUSES = ("ok", "ok", "ok", "ok", "raised", "raised", "missing", "fine", 3, None)
SEQUENCES = (*(1,) * 12, 0, 2, -1, "1", None)
NAMES = ("ValueError", "MemoryError", "BaseException", "StopIteration", "object", "\0", "X" * 5000)


class Gone:
    """Stands for the zygote where a worker has no process: every worker has ended."""

    def exit_of(self, worker: int, timeout_s: float) -> Exit:
        """At once."""
        return Exit(worker, 0)

    def end(self, worker: int) -> Exit:
        """At once."""
        return Exit(worker, 0)


class Bad(Exception):
    """A turn that must not end so."""


def judge(chance: random.Random) -> str:
    """One reply to one request."""
    ours, theirs = socket.socketpair()
    watch = CheckBudget()
    session = RemoteSession(Gone(), "student", (), Limits(), watch)  # type: ignore[arg-type]
    with ours, theirs:
        watch.begin(0.05)
        session.worker = worker = session._connected(1, ours)
        theirs.setblocking(False)
        with suppress(BlockingIOError):
            theirs.sendall(reply(chance))
        if chance.random() < 0.8:
            theirs.shutdown(socket.SHUT_WR)
        try:
            value = worker.ask(
                *chance.choice((("name", "f"), ("numbers", 1), ("getattr", 1, "x"), ("cell", 0, "", False)))
            )
        except (StudentError, WorkerEvent) as error:
            repr(error)
            return type(error).__name__
        if not of_plain_data(value):
            raise Bad(f"a {type(value).__name__} came over")
        return "a value"


def of_plain_data(value: object) -> bool:
    """Whether nothing but plain data and handles is in it."""
    if type(value) in (list, tuple):
        return all(map(of_plain_data, value))  # type: ignore[call-overload]
    if type(value) is dict:
        return all(type(key) is str and of_plain_data(item) for key, item in value.items())
    if isinstance(value, Handle):
        return len(repr(value)) < 1000
    return is_plain(value)


def reply(chance: random.Random) -> bytes:
    """Bytes that begin like a reply, or do not."""
    kind = chance.random()
    if kind < 0.1:
        return chance.randbytes(chance.randint(0, 300))
    if kind < 0.4:
        body, *buffers = chance.choice(list(MALFORMED.values()))
        body, buffers = body[:PACKET], [part[:PACKET] for part in buffers]
    else:
        body, buffers = encoded(answer(chance))
    if chance.random() < 0.4:
        body = mangled(chance, body)
    return framed(chance, body, buffers)


def answer(chance: random.Random) -> list[object]:
    """An answer to request 1, more or less."""
    status = chance.choice(STATUSES)
    value = chance.choice(VALUES)
    parts: list[object] = [value] if status != "raised" else [
        [chance.choice(NAMES) for _ in range(3)], chance.choice(NAMES), chance.choice(("", "why", "\x1b[31m")), "",
    ]  # fmt: skip
    if chance.random() < 0.1:
        parts.append(value)
    return [chance.choice(SEQUENCES), status, *parts]


def encoded(value: object) -> tuple[bytes, list[bytes]]:
    """As the far side would send it."""
    body, buffers = Encoder(lambda _: Ref(1, "object", "a.B")).encode(value)
    return body, [np.ascontiguousarray(part).tobytes() for part in buffers]


def framed(chance: random.Random, body: bytes, buffers: list[bytes]) -> bytes:
    """With a head that may lie."""
    sizes = [len(part) for part in buffers]
    size, number = len(body), len(sizes)
    if chance.random() < 0.1:
        size = chance.choice((0, size + 1, max(size - 1, 0), 1 << 24, (1 << 32) - 1))
    if chance.random() < 0.1:
        number = chance.choice((0, number + 1, 4096, 65535))
    if sizes and chance.random() < 0.2:
        sizes[chance.randrange(len(sizes))] = chance.choice((0, 1, 1 << 29, 1 << 40, (1 << 64) - 1))
    head = struct.pack("<IH", size, number) + b"".join(struct.pack("<Q", part) for part in sizes)
    return head + body + b"".join(buffers)


def mangled(chance: random.Random, data: bytes) -> bytes:
    """With a few bytes changed, lost, doubled or added."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(4):
            case 0 if at < len(found):
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                del found[at : at + chance.randint(1, 8)]
            case 2:
                found[at:at] = found[at : at + chance.randint(1, 32)]
            case _:
                found[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(found)


class ZygoteEvent:
    """A control connection to somebody who is no zygote."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "socket"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self._path))
        self._listener.listen()

    def turn(self, chance: random.Random) -> str:
        """A few packets, and one question."""
        with closing(ZygoteClient(self._path)) as control:
            other, _ = self._listener.accept()
            with other:
                for _ in range(chance.randint(0, 3)):
                    other.send(news(chance))
                if chance.random() < 0.5:
                    other.shutdown(socket.SHUT_RDWR)
                try:
                    if chance.random() < 0.5:
                        control.exit_of(1, 0.01)
                    else:
                        control.spawn("student", 0.01)[1].close()
                except (InfrastructureError, TimeoutError) as error:
                    return type(error).__name__
        return "a value"

    def close(self) -> None:
        """Hangs up."""
        self._listener.close()


def news(chance: random.Random) -> bytes:
    """What a zygote might say, more or less."""
    worker = chance.choice((1, 1, 0, -1, 1 << 70))
    said = msgspec.json.encode(chance.choice((Ready(worker, ("a",)), Broken(worker, "why"), Exit(worker, 1 << 70))))
    return (mangled(chance, said) if chance.random() < 0.7 else said) or b"x"


def orders(path: Path) -> Callable[[random.Random], str]:
    """A turn: a few packets over one connection to a real zygote."""

    def turn(chance: random.Random) -> str:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(HANGS_S)
            connection.connect(str(path))
            with suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(chance.randint(1, 3)):
                    send(chance, connection, order(chance))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(PACKET):
                    pass
        return "heard out"

    return turn


def order(chance: random.Random) -> bytes:
    """What a judge might ask for, more or less."""
    worker = chance.choice((1, 1, 2, 0, -1, 1 << 62, 1 << 70))
    role = chance.choice((*STUDENT_UIDS, "teacher", "", "student\0", "../student"))
    asked = msgspec.json.encode(chance.choice((Kill(worker), Kill(worker), Kill(worker), Spawn(worker, role))))
    return mangled(chance, asked) if chance.random() < 0.8 else asked


def send(chance: random.Random, connection: socket.socket, packet: bytes) -> None:
    """A packet, with some descriptors."""
    pairs = [socket.socketpair() for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 40)))]
    rights = array.array("i", [theirs.fileno() for _, theirs in pairs])
    told = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if pairs else []
    try:
        connection.sendmsg([packet], told)
    finally:
        for pair in pairs:
            for end in pair:
                end.close()


def turns(name: str, turn: Callable[[random.Random], str], seed: int, seconds: float, only: int | None) -> list[str]:
    """Turns until the time is over, or one of them; what was bad about them."""
    ended, problems, stop = Counter[str](), [], time.monotonic() + seconds
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    for number in [only] if only is not None else count():
        if time.monotonic() > stop or len(problems) > 5:
            break
        began = time.process_time()
        try:
            ended[turn(random.Random(f"{seed} {name} {number}"))] += 1
        except Exception:
            problems.append(f"{name}:{number}\n{traceback.format_exc()}")
        if time.process_time() - began > CPU_S:
            problems.append(f"{name}:{number} took more than {CPU_S:g} s")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10) - before
    if grown > GROWTH_MB:
        problems.append(f"{name}: memory grew by {grown} MiB")
    told = ", ".join(f"{many} {how}" for how, many in ended.most_common())
    print(f"{name}: {sum(ended.values())} turns: {told}; memory grew by {grown} MiB at its peak")
    return problems


def at_a_zygote(seed: int, seconds: float, only: int | None) -> list[str]:
    """Turns at a real zygote, which must be as it was after them."""
    with started() as zygote:
        process = psutil.Process(zygote._process.pid)
        descriptors, memory = process.num_fds(), process.memory_info().rss >> 20
        problems = turns("orders", orders(zygote.path), seed, seconds, only)
        if zygote.ended(2.0):
            said = (zygote.path.parent / "errors").read_text(errors="replace")
            return [*problems, f"orders: the zygote has ended. It said last:\n{said[-3000:]}"]
        with suppress(TimeoutError):
            until(lambda: process.num_fds() == descriptors and not process.children(), 30)
        left = (process.num_fds() - descriptors, len(process.children()), (process.memory_info().rss >> 20) - memory)
        if left[0] or left[1] or left[2] > 50:
            problems.append(f"orders: {left[0]} descriptors, {left[1]} processes and {left[2]} MiB are left")
        with closing(ZygoteClient(zygote.path)) as control:
            number, sock, _ = control.spawn("student", 60)
            sock.close()
            control.end(number)
    return problems


@click.command(help=__doc__)
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--again", default="", help="One turn of a run with the same seed, such as judge:1234.")
def main(seconds: float, seed: int, again: str) -> None:
    """Says what was bad."""
    resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
    name, _, told = again.partition(":")
    only, problems = int(told) if told else None, []
    if name in ("", "judge"):
        problems += turns("judge", judge, seed, seconds * 0.5, only)
    if name in ("", "news"):
        with tempfile.TemporaryDirectory() as folder, closing(ZygoteEvent(Path(folder))) as other:
            problems += turns("news", other.turn, seed, seconds * 0.1, only)
    if name in ("", "orders"):
        problems += at_a_zygote(seed, seconds * 0.4, only)
    Console(soft_wrap=True).print("\n".join(problems) or "Nothing bad.", markup=False)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
