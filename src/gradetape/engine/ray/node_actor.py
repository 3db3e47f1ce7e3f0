"""The actor on a node: starts the node's server, and passes messages between it and the engine."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from gradetape.engine.ray.messages import (
    CancelHere,
    Describe,
    EndedHere,
    KeepSecrets,
    NodeReply,
    NodeRequest,
    Prepare,
    RenewHere,
    RunHere,
)
from gradetape.wire.message_channel import MessageChannel


class NodeActor:
    """Runs in a worker of Ray, whose event loop calls its methods; arguments and results are bytes.

    It ends with its server: then every call that waits fails, and the engine opens the node again.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._starting = subprocess.Popen(
                [sys.executable, "-I", "-m", "gradetape.engine.ray.node_server"], stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL, cwd="/", start_new_session=True, env=environment(os.environ),
            )  # fmt: skip
        self._socket, self._channel = ours, MessageChannel(ours)
        self._sender = ThreadPoolExecutor(1)
        self._answers: deque[asyncio.Future[bytes]] = deque()  # the server answers in the order of the requests
        self._jobs: dict[int, asyncio.Future[bytes]] = {}
        self._kept: set[str] = set()
        self._listening = False

    async def describe(self, request: bytes) -> bytes:
        """A `NodeReport`, or why the node cannot judge."""
        asked = msgspec.msgpack.decode(request, type=Describe)
        await asyncio.get_running_loop().run_in_executor(None, self._starting.wait)
        return await self._asked(msgspec.structs.replace(asked, secret=(*asked.secret, token_file())))

    async def prepare(self, request: bytes) -> bytes:
        """The `CollectedChecks`, once the sandbox is proven, or why not."""
        return await self._asked(msgspec.msgpack.decode(request, type=Prepare))

    async def renew(self) -> bytes:
        """`Renewed`, once everything has ended."""
        return await self._asked(RenewHere())

    async def run(self, request: bytes, secrets: Sequence[Any]) -> bytes:
        """The `Outcome` of a job, or `Lost`; `secrets` holds a reference to what it has in common with others."""
        job = msgspec.msgpack.decode(request, type=RunHere)
        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._jobs[job.number] = ended
        if job.digest not in self._kept:
            data: bytes = await secrets[0]
            self._kept.add(job.digest)
            await self._send(KeepSecrets(digest=job.digest, data=data))
        if not ended.done():
            await self._send(job)
        return await ended

    async def cancel(self, number: int) -> None:
        """Ends a job; what waits for it gets nothing."""
        if (ended := self._jobs.pop(number, None)) is not None:
            ended.cancel()
            await self._send(CancelHere(number=number))

    async def ping(self) -> None:
        """Shows that the node is alive."""

    async def end(self) -> None:
        """Ends the server, and waits until it has ended everything else."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._channel.fileno())
        self._socket.shutdown(socket.SHUT_WR)
        await loop.run_in_executor(None, self._wait_for_its_end)

    def _wait_for_its_end(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._channel.receive(NodeReply)

    async def _asked(self, request: NodeRequest) -> bytes:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        await self._send(request)
        return await answer

    async def _send(self, request: NodeRequest) -> None:
        """Sends from a thread, in the order of the calls: a server that is sending itself reads nothing."""
        loop = asyncio.get_running_loop()
        if not self._listening:
            loop.add_reader(self._channel.fileno(), self._received)
            self._listening = True
        await loop.run_in_executor(self._sender, self._channel.send, request)

    def _received(self) -> None:
        try:
            reply = self._channel.receive(NodeReply)
        except (EOFError, OSError):
            os._exit(1)  # a worker of Ray that raises goes on
        if isinstance(reply, EndedHere):
            if (ended := self._jobs.pop(reply.number, None)) is not None and not ended.done():
                ended.set_result(msgspec.msgpack.encode(reply.outcome))
        elif self._answers and not (answer := self._answers.popleft()).done():
            answer.set_result(msgspec.msgpack.encode(reply))


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a node's server: nothing of Ray's, whose token may be among it."""
    return {name: value for name, value in variables.items() if not name.startswith("RAY_")}


def token_file() -> str:
    """Where Ray's token is on this node."""
    return os.environ.get("RAY_AUTH_TOKEN_PATH") or str(Path.home() / ".ray" / "auth_token")
