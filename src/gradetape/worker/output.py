"""The text that a submission prints, kept up to a limit."""

from __future__ import annotations

import io


class Output(io.TextIOBase):
    """A text stream that keeps the first `limit` characters and counts the rest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._kept = 0
        self._cut = 0

    def writable(self) -> bool:
        """Always true: it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keeps the text up to the limit; raises TypeError for anything but text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        part = text[: self._limit - self._kept]
        if part:
            self._parts.append(part)
            self._kept += len(part)
        self._cut += len(text) - len(part)
        return len(text)

    def text(self) -> str:
        """The printed text, with a note of how much was cut."""
        kept = "".join(self._parts)
        return f"{kept}\n… ({self._cut} more characters were cut)" if self._cut else kept

    def clear(self) -> None:
        """Discards the text."""
        self._parts, self._kept, self._cut = [], 0, 0
