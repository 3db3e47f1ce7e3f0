"""The text that a submission prints, kept up to a limit: by Python, by its child processes, and by native code.

Descriptors 1 and 2 are a file without a name in the worker's private folder, which all of them append to. What is in it
is moved into the text whenever Python prints and when the text is read, so that it is in order, and never lost in a
pipe that nobody empties.
"""

from __future__ import annotations

import fcntl
import io
import os
import tempfile
from typing import NamedTuple

_READ_BYTES = 1 << 16
_HIGH = 200  # a submission is unlikely to close a descriptor with such a number by accident


class _File(NamedTuple):
    """A file that is open under a descriptor, whatever the descriptor is used for later."""

    descriptor: int
    identity: tuple[int, int]

    @classmethod
    def create(cls) -> _File:
        """A file without a name, for appending; raises OSError."""
        with tempfile.TemporaryFile(buffering=0) as file:
            fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
            for standard in (1, 2):
                os.dup2(file.fileno(), standard)
            descriptor = fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, _HIGH)
        found = os.fstat(descriptor)
        return cls(descriptor, (found.st_dev, found.st_ino))

    def take(self, limit: int) -> tuple[bytes, int]:
        """The first bytes, and how many more there are; the file is then empty."""
        try:
            found = os.fstat(self.descriptor)
            if not found.st_size or (found.st_dev, found.st_ino) != self.identity:
                return b"", 0
            data = os.pread(self.descriptor, min(limit, found.st_size), 0)
            os.ftruncate(self.descriptor, 0)
        except OSError:  # the submission has closed it
            return b"", 0
        return data, found.st_size - len(data)


class Output:
    """Keeps the first `limit` characters of what is printed and counts the rest."""

    __slots__ = ("_cut", "_file", "_kept", "_limit", "_owner", "_parts", "_replaced")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._kept = 0
        self._cut = 0
        self._replaced = False
        self._owner = 0
        self._file: _File | None = None

    def begin(self) -> None:
        """Keeps what is written to descriptors 1 and 2 from now on, too."""
        self._owner = os.getpid()
        try:
            self._file = _File.create()
        except OSError:  # no space, or no descriptor: then only what Python prints is kept
            self._file = None

    def add(self, text: str, descriptor: int) -> None:
        """Adds a text that Python has printed; in a fork of the worker, writes it to the descriptor."""
        if self._owner not in (0, os.getpid()):
            os.write(descriptor, text.encode(errors="replace"))
            return
        self._take_written()
        self._add(text)

    def text(self) -> str:
        """The printed text, with a note of how much was cut."""
        self._take_written()
        kept = "".join(self._parts)
        return f"{kept}\n… ({self._cut} more characters were cut)" if self._cut else kept

    def clear(self) -> None:
        """Discards the text."""
        self._take_written()
        self._parts, self._kept, self._cut, self._replaced = [], 0, 0, False

    def clear_before_next(self) -> None:
        """Discards the text once something else is printed."""
        self._replaced = True

    def _add(self, text: str) -> None:
        if self._replaced:
            self._parts, self._kept, self._cut, self._replaced = [], 0, 0, False
        part = text[: self._limit - self._kept]
        if part:
            self._parts.append(part)
            self._kept += len(part)
        self._cut += len(text) - len(part)

    def _take_written(self) -> None:
        if self._file is None:
            return
        data, more = self._file.take(4 * (self._limit - self._kept))
        if data:
            self._add(data.decode(errors="replace"))
        self._cut += more


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
