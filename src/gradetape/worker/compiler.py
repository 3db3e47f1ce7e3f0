"""Compiles cells under file names of their own, and keeps their text where tracebacks and AutoGraph look for it."""

from __future__ import annotations

from types import CodeType
from typing import Any

from IPython.core.compilerop import CachingCompiler

PREFIX = "<cell "
_TIMED = ("<timed ", "<magic-timeit")  # what IPython calls the code in %time and %timeit, without keeping its text


class CellCompiler(CachingCompiler):
    """IPython's compiler, with its `__future__` flags. The code of a cell is `<cell 3>`, what it runs besides
    `<cell 3.2>`, and so on."""

    def __init__(self) -> None:
        super().__init__()
        self._label = PREFIX
        self._compiled = 0
        self._parsed = self._timed = ""

    def begin(self, number: int) -> None:
        """A new cell, with this number."""
        self._label, self._compiled = f"{PREFIX}{number}", 0

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """The name of the next code of the current cell."""
        self._compiled += 1
        return f"{self._label}>" if self._compiled == 1 else f"{self._label}.{self._compiled}>"

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> Any:
        """The syntax tree of a text."""
        self._parsed, self._timed = source, ""
        return super().ast_parse(source, filename, symbol)

    def __call__(self, source: Any, filename: str, symbol: str, **options: Any) -> CodeType:
        """The code of a text or of a tree; that of a timed one gets a name under which its text is found."""
        if filename.startswith(_TIMED):
            self._timed = self._timed or self.cache(self._parsed)
            filename = self._timed
        code: CodeType = super().__call__(source, filename, symbol, **options)
        return code
