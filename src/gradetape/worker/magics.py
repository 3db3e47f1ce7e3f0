"""The magics that cannot do here what they do in a kernel: what happens instead, and what is noted about it.

The sandbox has no network, no screen and nobody who types, and packages are those of the course. A magic that is not
known, since its extension is not installed, leaves the rest of its cell alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from IPython.core.magic import needs_local_scope, no_var_expand

from gradetape.worker.commands import without_installing

Magic = Callable[..., Any]
_PACKAGES = "packages cannot be installed here"
_NO_SCREEN = "there is no screen here"
_NOBODY = "nobody uses the notebook here"
_NO_NETWORK = "there is no network here"
_UNKNOWN = "the magic is not installed here"
_NOT_DONE = {
    "conda": _PACKAGES, "mamba": _PACKAGES, "micromamba": _PACKAGES, "gui": _NO_SCREEN, "tensorboard": _NO_NETWORK,
    "pastebin": _NO_NETWORK, "edit": _NOBODY, "ed": _NOBODY, "qtconsole": _NOBODY, "connect_info": _NOBODY,
    "autosave": _NOBODY, "subshell": _NOBODY,
}  # fmt: skip
_SHELLS = ("bash", "sh")
_NO_EXTENSIONS = ("tensorboard", "google.colab")
_TIMEIT_OPTIONS = re.compile(r"\s*(?:-[tcqo]+(?:\s+|$)|-[nrpv]\s*\S+(?:\s+|$))*")
_PYTHON = re.compile(r"^\S*python[\d.]*\s+-m\s+")


class MagicShell(Protocol):
    """The part of a shell that the magics here need."""

    extension_manager: Any

    def find_line_magic(self, name: str) -> Any:
        """The line magic of a name."""

    def note(self, text: str) -> None:
        """Notes what was not done as in a kernel."""

    def keep_definitions(self, text: str) -> None:
        """Runs the definitions in a text whose names are not defined."""

    def run_cell(self, raw_cell: str) -> Any:
        """Runs a cell within the current one."""

    def transform_cell(self, raw_cell: str) -> str:
        """The Python text of a cell."""


def instead(shell: MagicShell, kind: str, name: str, usual: Magic | None) -> Magic | None:
    """What is called for a magic of the kind `line` or `cell`; `usual` is what a kernel would call."""
    if name in _NOT_DONE:
        return partial(_skip, shell, f"{_signs(kind)}{name}", _NOT_DONE[name])
    if name == "store" and usual is None:
        return partial(_store, shell)
    if usual is None:
        return partial(_unknown_cell, shell, name) if kind == "cell" else partial(_skip, shell, f"%{name}", _UNKNOWN)
    if name == "timeit":
        return _timeit(shell, usual)
    if name in ("load_ext", "reload_ext"):
        return partial(_load, shell, name, usual)
    if kind == "cell" and name in (*_SHELLS, "script"):
        return partial(_script, shell, name, usual)
    return usual


def _signs(kind: str) -> str:
    return "%%" if kind == "cell" else "%"


def _skip(shell: MagicShell, name: str, reason: str, line: str, cell: str = "") -> None:
    shell.note(f"`{f'{name} {line}'.strip()}` did nothing: {reason}")


def _unknown_cell(shell: MagicShell, name: str, line: str, cell: str) -> Any:
    """Runs the cell, if it is Python, as if the magic were not there."""
    try:
        ast.parse(shell.transform_cell(cell))
    except (SyntaxError, ValueError):
        shell.note(f"the cell of `%%{name}` was not run: {_UNKNOWN}")
        return None
    shell.note(f"the cell was run without `%%{name}`, which is not installed here")
    result = shell.run_cell(cell)
    result.raise_error()
    return result.result


def _load(shell: MagicShell, name: str, usual: Magic, line: str) -> None:
    """Loads an extension if it is installed."""
    if not line.strip().startswith(_NO_EXTENSIONS):
        try:
            usual(line)
            return
        except ImportError:
            pass
    _skip(shell, f"%{name}", "the extension is not available here", line.strip())


def _store(shell: MagicShell, line: str) -> Any:
    """Loads the extension of `%store`, as a kernel does when it starts."""
    shell.extension_manager.load_extension("storemagic")
    return shell.find_line_magic("store")(line)


def _script(shell: MagicShell, name: str, usual: Magic, line: str, cell: str) -> Any:
    """Runs a shell script without what installs packages."""
    if name in _SHELLS or line.split()[:1] in ([each] for each in _SHELLS):
        cell, left_out = without_installing(cell)
        note_left_out(shell, left_out)
    return usual(line, cell)


def note_left_out(shell: MagicShell, commands: list[str]) -> None:
    """Notes which commands were left out since they install packages."""
    for command in commands:
        shell.note(f"`{_PYTHON.sub('', command)}` was not run: {_PACKAGES}")


def _timeit(shell: MagicShell, usual: Magic) -> Magic:
    """`%timeit`, which runs its statement once if no number is given; names that only it defines stay."""

    @no_var_expand
    @needs_local_scope
    def timeit(line: str, cell: str | None = None, local_ns: Any = None) -> Any:
        result = usual(_once(line), cell, local_ns)
        if cell is not None:
            shell.keep_definitions(cell)
        return result

    return timeit


def _once(line: str) -> str:
    """The line of a `%timeit`, with a number of loops and of repetitions if it has none."""
    found = _TIMEIT_OPTIONS.match(line)
    options = found[0] if found else ""
    if "-n" in options:
        return line
    return f"-n1 {'' if '-r' in options else '-r1 '}{line}"
