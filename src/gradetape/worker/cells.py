"""Runs a notebook's cells, in order, in one namespace, as "Restart and run all" would.

They run in IPython's own shell. Each cell is compiled under a file name of its own and entered into `linecache`:
AutoGraph reads the source from there; otherwise every `for` over a tensor would fail. Of a cell that failed, what it
defines besides is run too.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from IPython.core.inputtransformer2 import TransformerManager

from gradetape.wire.determinism import needs_none
from gradetape.worker.cell_loop import CellLoop
from gradetape.worker.compiler import PREFIX
from gradetape.worker.definitions import Definitions
from gradetape.worker.notebook import furnish
from gradetape.worker.output import Output
from gradetape.worker.salvage import Salvaged, defines_new, python_text, runner, salvage, stopped_at
from gradetape.worker.settings import set_determinism
from gradetape.worker.shell import CellRecord, ZMQInteractiveShell

_SCRIPT = "submission.py"


class Cells:
    """The namespace of one submission, and the cells that run in it."""

    __slots__ = (
        "_begun", "_compiler", "_definitions", "_label", "_loop", "_namespace", "_output", "_shell", "_transform",
    )  # fmt: skip

    def __init__(self, main: ModuleType, output: Output) -> None:
        self._namespace = main.__dict__
        self._output = output
        self._definitions = Definitions()
        self._shell = ZMQInteractiveShell.create(main, output, self._keep_definitions)
        self._compiler = self._shell.compile
        self._transform: Callable[[str], str] = TransformerManager().transform_cell
        self._loop = CellLoop(self._shell)
        self._label = PREFIX
        self._begun = 0

    def run(self, index: int, source: str, only_definitions: bool, question: str = "") -> dict[str, str]:
        """Runs one cell, which belongs to a question or to none.

        Returns as text its `error`, what was `salvaged` though it failed, the names that it `copied` from earlier
        cells, with those of other questions that it changes, a `note` of what was not done as in a kernel, and its
        `output`.
        """
        self.begin()
        record = self._shell.begin_cell(index + 1)
        self._label = f"{PREFIX}{index + 1}"
        self._definitions.begin(self._label[1:], question)
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):  # running the cell reports it
            self._definitions.note(ast.parse(self._python(source)))
        self._output.clear()
        error = self._run_definitions(source) if only_definitions else self._run_freely(source, record)
        return {
            "error": "" if error is None else describe(error),
            "salvaged": "" if only_definitions else self._salvage(error, record),
            "copied": self._definitions.description,
            "note": "\n".join(record.notes),
            "output": self._output.text(),
        }

    def begin(self, script: bool = False) -> None:
        """Begins in the worker, once, before its first cell; only a script has a `__file__`."""
        if not self._begun:
            self._begun = 1
            self._output.begin()
            self._shell.begin()
            furnish(self._namespace)
            if script:
                self._namespace["__file__"] = str(Path.cwd() / _SCRIPT)
            self._shell.user_ns_hidden.update(grader=self._namespace["grader"])

    def _run_freely(self, source: str, record: CellRecord) -> BaseException | None:
        """Runs a cell; what fails since operations are deterministic here goes on as in a notebook, where they are not.

        Returns its error.
        """
        error = self._run(source, record)
        if error is None or not needs_none(text_of(error)):
            return error
        if (place := stopped_at(error, self._label, _text_of)) is None:
            return error
        record.notes.append("from the line on that failed, it was run without TensorFlow's deterministic operations")
        record.errors.clear()
        run = runner(self._compiler, place.name, self._namespace)
        set_determinism(False)
        try:
            for statement in place.statements[place.failed :]:
                run(statement)
        except BaseException as later:
            return later
        finally:
            set_determinism(True)
        return None

    def _run(self, source: str, record: CellRecord) -> BaseException | None:
        """Runs a cell in the shell; without it if the submission has broken the shell. Returns its error."""
        try:
            result = self._loop.run(source)
        except BaseException as error:
            return error if record.started else self._run_without_shell(source)
        found = result.error_before_exec or result.error_in_exec or record.display_error
        if found is None or record.started or isinstance(found, SyntaxError):
            return found
        return self._run_without_shell(source)

    def _run_without_shell(self, source: str) -> BaseException | None:
        try:
            text = self._transform(source)
            with self._compiler.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT):
                code = self._compiler(text, self._compiler.cache(text), "exec")
            result = eval(code, self._namespace)
            if inspect.iscoroutine(result):
                asyncio.run(result)
        except BaseException as error:
            return error
        return None

    def _run_definitions(self, source: str) -> BaseException | None:
        """Runs only what a cell defines; returns the first error."""
        try:
            text = self._python(source)
            name = self._compiler.cache(text)
            statements = ast.parse(text, name).body
        except (SyntaxError, ValueError) as error:
            return error
        salvaged = self._salvaged(name, statements)
        return salvaged.errors[0] if salvaged.errors else None

    def _salvage(self, error: BaseException | None, record: CellRecord) -> str:
        """Runs what a cell defines after the line that failed; describes it, or returns an empty text."""
        texts = []
        for each in {id(each): each for each in (error, *record.errors) if each is not None}.values():
            if (place := stopped_at(each, self._label, _text_of)) is not None:
                rest = self._salvaged(place.name, place.statements[place.failed + 1 :])
                texts.append(rest.described(place.statements[place.failed]))
        return "\n".join(filter(None, texts))

    def _keep_definitions(self, source: str) -> None:
        """Runs what a text defines if its names are not defined."""
        text = self._python(source)
        name = self._compiler.cache(text)
        statements = [each for each in ast.parse(text).body if defines_new(each, self._namespace)]
        self._salvaged(name, statements)

    def _salvaged(self, name: str, statements: list[ast.stmt]) -> Salvaged:
        """Runs what is cheap of these statements, which are of the text that has this name."""
        return salvage(statements, self._namespace, runner(self._compiler, name, self._namespace))

    def _python(self, source: str) -> str:
        """The Python text of a cell, without the magics that only wrap it."""
        return self._transform(python_text(source, self._is_magic))

    def _is_magic(self, name: str) -> bool:
        """Whether there is a cell magic of this name; the submission may have replaced what tells."""
        try:
            return self._shell.find_cell_magic(name) is not None
        except Exception:
            return True


def _text_of(name: str) -> str:
    """The text of a cell's code."""
    return "".join(linecache.getlines(name))


def describe(error: BaseException) -> str:
    """An exception as text for the student: their own lines, then its kind and text."""
    return f"{own_lines(error)}{type(error).__name__}: {text_of(error)}".rstrip(": ")


def own_lines(error: BaseException) -> str:
    """The part of a traceback that is in the submission's cells."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(PREFIX)]
    # The line of a magic holds the whole cell; what its code raised has lines of its own.
    inner = [frame for frame in frames if not (frame.line or "").startswith("get_ipython().run_cell_magic(")]
    lines = traceback.format_list((inner or frames)[-8:])
    if isinstance(error, SyntaxError) and str(error.filename).startswith(PREFIX):
        lines += traceback.format_exception_only(error)[:-1]
    return "".join(lines)[-8000:]


def text_of(error: BaseException) -> str:
    """An exception's own text, whatever its `__str__` does, and its notes."""
    try:
        notes = [str(note)[:500] for note in getattr(error, "__notes__", ())]
        return "\n".join([str(error)[:4000], *notes[:5]])
    except BaseException:
        return ""
