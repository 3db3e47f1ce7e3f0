"""The text that a submission prints, kept up to a limit: by Python, by its child processes, and by native code.

Descriptors 1 and 2 are a pipe, as in ipykernel. A thread empties it, so that nobody waits, and so does whoever prints
or reads the text, so that it is in order.
"""

from __future__ import annotations

import codecs
import fcntl
import io
import os
import select
import threading
from types import CodeType

_CHUNK = 1 << 16
_MOST_CHUNKS = 4  # of a flood that does not end, whoever prints takes only some
_HIGH = 200  # a submission is unlikely to close a descriptor with such a number by accident


class _Pipe:
    """The end of a pipe from which everything is read that is written to descriptors 1 and 2."""

    __slots__ = ("_decoder", "_descriptor", "_identity")

    def __init__(self) -> None:
        """Raises OSError."""
        read, write = os.pipe()
        for standard in (1, 2):
            os.dup2(write, standard)
        self._descriptor = fcntl.fcntl(read, fcntl.F_DUPFD_CLOEXEC, _HIGH)
        os.close(read)
        os.close(write)
        os.set_blocking(self._descriptor, False)
        self._identity = os.fstat(self._descriptor).st_ino
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def read(self) -> str | None:
        """Some of the text that has been written; None if the submission has closed the pipe.

        Raises BlockingIOError if nothing has been written.
        """
        try:
            same = os.fstat(self._descriptor).st_ino == self._identity
            data = os.read(self._descriptor, _CHUNK) if same else b""
        except BlockingIOError:
            raise
        except OSError:
            return None
        return self._decoder.decode(data) if data else None

    def wait(self) -> None:
        """Waits until something has been written."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.poll()


class Output:
    """Keeps the first `limit` characters of what is printed and counts the rest."""

    __slots__ = ("_cut", "_kept", "_limit", "_lock", "_owner", "_parts", "_pipe", "_replaced")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._kept = 0
        self._cut = 0
        self._replaced = False
        self._owner = 0
        self._pipe: _Pipe | None = None
        self._lock = threading.RLock()

    def begin(self) -> None:
        """Keeps what is written to descriptors 1 and 2 from now on, too."""
        self._owner = os.getpid()
        try:
            self._pipe = _Pipe()
            threading.Thread(target=self._empty, args=(self._pipe,), daemon=True).start()
        except (OSError, RuntimeError):  # no descriptor or thread is left: then only what Python prints is kept
            self._pipe = None

    def add(self, text: str, descriptor: int) -> None:
        """Adds a text that Python has printed; in a fork of the worker, writes it to the descriptor."""
        if self._owner not in (0, os.getpid()):
            os.write(descriptor, text.encode(errors="replace"))
            return
        with self._lock:
            self._take_written()
            self._add(text)

    def text(self) -> str:
        """The printed text, with a note of how much was cut."""
        with self._lock:
            self._take_written()
            kept = "".join(self._parts)
            return f"{kept}\n… ({self._cut} more characters were cut)" if self._cut else kept

    def clear(self) -> None:
        """Discards the text."""
        with self._lock:
            self._take_written()
            self._reset()

    def clear_before_next(self) -> None:
        """Discards the text once something else is printed."""
        self._replaced = True

    def _reset(self) -> None:
        self._parts, self._kept, self._cut, self._replaced = [], 0, 0, False

    def _add(self, text: str) -> None:
        if self._replaced and text:
            self._reset()
        part = text[: self._limit - self._kept]
        if part:
            self._parts.append(part)
            self._kept += len(part)
        self._cut += len(text) - len(part)

    def _take_written(self) -> bool:
        """Takes what has been written to the descriptors; false if the submission has closed the pipe."""
        for _ in range(_MOST_CHUNKS):
            try:
                text = self._pipe.read() if self._pipe is not None else None
            except BlockingIOError:
                return True
            if text is None:
                self._pipe = None
                return False
            self._add(text)
        return True

    def _empty(self, pipe: _Pipe) -> None:
        """In a thread: takes what is written, so that nobody waits until the pipe can take more."""
        while self._pipe is pipe:
            pipe.wait()
            with self._lock:
                if not self._take_written():
                    return


def waits_for_output() -> CodeType:
    """The code that the worker's own thread runs while nothing is written."""
    return _Pipe.wait.__code__


class Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr`, as a kernel has them: text only, with an encoding and a descriptor."""

    encoding = "UTF-8"

    def __init__(self, name: str, descriptor: int, output: Output) -> None:
        self.name = name
        self._descriptor = descriptor
        self._output = output

    def fileno(self) -> int:
        """The descriptor that child processes and native code write to."""
        return self._descriptor

    def isatty(self) -> bool:
        """Always false: it is no terminal."""
        return False

    def writable(self) -> bool:
        """Always true: it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keeps the text up to the limit; raises TypeError for anything but text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._output.add(text, self._descriptor)
        return len(text)
