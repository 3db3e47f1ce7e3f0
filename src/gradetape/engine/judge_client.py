"""Starts the judge's process for an engine: pytest with an assignment's checks collected, ready to fork."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from gradetape import tempdirs
from gradetape.errors import ZygoteError
from gradetape.judge.messages import Collect, JobLost, Judged, Message, Request
from gradetape.records import CollectedChecks
from gradetape.wire.message_channel import MessageChannel

_COLLECT_S = 120.0
_END_S = 5.0
EMPTY: Mapping[str, Path] = MappingProxyType({})


class JudgeClient:
    """A judge's process and the channel to it.

    It starts to collect at once; `collect` waits for the result. Close it to end the process.
    """

    def __init__(self, root: Path, files: Sequence[Path], student_files: Mapping[str, Path] = EMPTY) -> None:
        self._root = root
        ours, theirs = socket.socketpair()
        self._channel = MessageChannel(ours)
        with ExitStack() as stack, theirs:
            stack.callback(self._channel.close)
            folder = stack.enter_context(tempdirs.folder("gradetape-judge-"))
            stack.callback(_end, _started(theirs, folder), self._channel)
            beside = {name: str(path) for name, path in student_files.items()}
            self._channel.send(Collect(root=str(root), files=tuple(map(str, files)), student_files=beside))
            self._stack = stack.pop_all()

    def collect(self) -> CollectedChecks:
        """The checks that it collected, and why a file or a check cannot be run, by the path below `root`.

        Raises ZygoteError if it does not answer in time.
        """
        message = None
        with suppress(EOFError, OSError):
            message = self.receive(_COLLECT_S)
        if isinstance(message, CollectedChecks):
            return message
        raise ZygoteError("the judge could not collect the checks. Run pytest autograder/ to see why.")

    def fileno(self) -> int:
        """For selectors: what `receive` reads from."""
        return self._channel.fileno()

    def send(self, request: Request) -> None:
        """Sends a request; raises OSError if the process has ended."""
        self._channel.send(request)

    def receive(self, timeout_s: float) -> Message | None:
        """The next message, or None after `timeout_s` seconds; raises EOFError or OSError if the process has ended."""
        readable, _, _ = select.select([self._channel], [], [], timeout_s)
        if not readable:
            return None
        message: Message = self._channel.receive(Message)
        if isinstance(message, CollectedChecks):
            return self._relative(message)
        if isinstance(message, JobLost):
            return replace(message, reason=self._shortened(message.reason))
        if isinstance(message, Judged) and message.result.staff_message:
            text = self._shortened(message.result.staff_message)
            return replace(message, result=replace(message.result, staff_message=text))
        return message

    def close(self) -> None:
        """Ends the process and all its children."""
        self._stack.close()

    def _relative(self, found: CollectedChecks) -> CollectedChecks:
        """Removes the paths of this machine, which mean nothing on another one."""
        broken = {
            os.path.relpath(Path(self._root, path), self._root): self._shortened(why)
            for path, why in found.broken.items()
        }
        return CollectedChecks(checks=found.checks, broken=broken)

    def _shortened(self, text: str) -> str:
        """A text with the paths of the course's files as they are seen from its root."""
        return text.replace(f"{self._root}{os.sep}", "")


def _started(theirs: socket.socket, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "gradetape.judge.server"], stdin=theirs.fileno(), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )  # fmt: skip


def _end(process: subprocess.Popen[bytes], channel: MessageChannel) -> None:
    """Closes the channel, after which the judge ends its children and itself."""
    channel.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
