"""IPython's shell as a kernel has it, without the parts that need a front end, a profile folder or a terminal.

It is made before the fork, and begins in the worker. Cells run in it as they do in ipykernel: in one event loop, with
IPython's own magics, history, displays and compiler flags. Only what a sandbox needs is different: errors are kept and
not printed, shell commands write to pipes, and what is not done as in a kernel is noted.
"""

from __future__ import annotations

import atexit
import builtins
import getpass
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError
from types import ModuleType
from typing import Any, NoReturn

from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from IPython.paths import get_ipython_dir
from IPython.utils.text import LSString, SList
from traitlets import Type, default
from traitlets.config import Config

from gradetape.worker import commands, magics
from gradetape.worker.compiler import CellCompiler
from gradetape.worker.display import SHOWN, KernelDisplayHook, KernelDisplayPublisher
from gradetape.worker.output import Output

_CONFIG = Config(
    {
        "HistoryManager": {"enabled": False, "hist_file": ":memory:"},
        "IPKernelApp": {"parent_appname": "gradetape"},  # libraries recognise a notebook by this entry
    }
)
_ENVIRONMENT = {
    "PAGER": "cat", "GIT_PAGER": "cat", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}  # fmt: skip
_WHERE = "commands have no network here, and write to private folders alone"
_NO_FRONT_END = "was called, but this frontend does not support input requests."  # in ipykernel's words
_INLINE = (None, "auto", "inline", "agg", "svg", "pdf", "ps", "cairo")


@dataclass
class CellRecord:
    """What happens while a cell runs: errors, those of cells within it too, and what is not done as in a kernel.

    `started`: some of its code has run. `display_error` is raised by the display of its value, after it has run.
    """

    started: bool = False
    errors: list[BaseException] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    display_error: BaseException | None = None


class ZMQInteractiveShell(InteractiveShell):  # the name of ipykernel's, by which code recognises a notebook
    """A notebook's shell.

    Large because IPython asks a front end for many things: each method answers one of them.
    """

    displayhook_class = Type(KernelDisplayHook)
    display_pub_class = Type(KernelDisplayPublisher)
    compiler_class = Type(CellCompiler)
    compile: CellCompiler
    output: Output
    record: CellRecord
    keep_definitions: Callable[[str], None]

    @classmethod
    def create(cls, module: ModuleType, output: Output, keep_definitions: Callable[[str], None]) -> ZMQInteractiveShell:
        """The only shell of this process, whose cells run in the module."""
        cls.clear_instance()
        shell = cls.instance(config=_CONFIG, user_module=module)
        atexit.unregister(shell.atexit_operations)
        builtins.input, getpass.getpass = _no_input, _no_password
        shell.output, shell.keep_definitions, shell.record = output, keep_definitions, CellRecord()
        if shell.display_formatter is not None:
            shell.display_formatter.active_types = list(SHOWN)
        return shell

    def begin(self) -> None:
        """Begins in the worker: the folder, the environment and the import path of a kernel."""
        os.environ.update(_ENVIRONMENT)
        sys.path.insert(0, "")
        self.user_ns["_dh"][:] = [Path.cwd()]
        # IPython adds this to every `sys.exit()`, with a path of its own.
        warnings.filterwarnings("ignore", "To exit: use", UserWarning)

    def begin_cell(self, number: int) -> CellRecord:
        """Begins a cell: its number is in the name of its code."""
        self.compile.begin(number)
        self.record = CellRecord()
        return self.record

    def note(self, text: str) -> None:
        """Notes what is not done as in a kernel, once for each cell."""
        if text not in self.record.notes:
            self.record.notes.append(text)

    # What belongs to a front end, or to a process that IPython has started.

    def init_ipython_dir(self, ipython_dir: Any) -> None:
        """The folder is found when it is first used: in the worker, not in the zygote."""

    @default("ipython_dir")
    def _own_folder(self) -> str:
        return get_ipython_dir()

    def init_profile_dir(self, profile_dir: Any) -> None:
        """The same for the profile."""

    @default("profile_dir")
    def _own_profile(self) -> Any:
        return ProfileDir.create_profile_dir_by_name(self.ipython_dir, "default")

    def init_virtualenv(self) -> None:
        """As in ipykernel: the interpreter is the right one."""

    def init_sys_modules(self) -> None:
        """The worker sets `__main__` after the fork."""

    def init_hooks(self) -> None:
        """As in ipykernel, help is shown beside the notebook."""
        super().init_hooks()
        self.set_hook("show_in_pager", lambda *_, **__: None, 99)

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no screen; the caller has noted it."""

    def enable_matplotlib(self, gui: str | None = None) -> Any:
        """Plots are drawn inline, whatever the notebook asks for."""
        if gui not in _INLINE:
            self.note(f"`%matplotlib {gui}` was taken as `%matplotlib inline`: there is no screen here")
            gui = "inline"
        return super().enable_matplotlib(gui)

    def ask_exit(self) -> None:
        """Leaves the cell, not the process."""
        raise SystemExit

    def ask_yes_no(self, prompt: str, default: Any = None, interrupt: Any = None) -> bool:
        """As in a kernel without a front end: nobody answers."""
        return _no_input()

    async def run_code(self, code_obj: Any, result: Any = None, *, async_: bool = False) -> bool:
        """Runs some of a cell's code; returns whether it has raised an error."""
        self.record.started = True
        raised: bool = await super().run_code(code_obj, result, async_=async_)
        return raised

    # Errors are kept: the grader shows them.

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        """Keeps an error instead of printing it."""
        kind, error, _trace = self._get_exc_info(exc_tuple)
        if kind is UsageError:
            self.show_usage_error(error)
        self.record.errors.append(error)
        if self.displayhook.is_active:
            self.record.display_error = error

    def showsyntaxerror(self, filename: str | None = None, running_compiled_code: bool = False) -> None:
        """Keeps a syntax error instead of printing it."""
        self.record.errors.append(self._get_exc_info()[1])

    def _format_exception_for_storage(self, exception: BaseException, *_: Any, **__: Any) -> dict[str, Any]:
        """Formats nothing: no history is kept of errors."""
        return {}

    @contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """Keeps no second copy of what is printed."""
        yield

    # Magics and commands.

    def _find_with_lazy_load(self, /, type_: str, magic_name: str) -> Any:
        """The magic of a name, or what is called in its place."""
        usual = super()._find_with_lazy_load(type_, magic_name)
        return magics.instead(self, type_, magic_name, usual)

    def system_piped(self, cmd: str) -> None:
        """Runs a command in the sandbox and prints its output as it comes; its status is `_exit_code`."""
        self._run(self.var_expand(_in_front(cmd), depth=1), sys.stdout.write)

    system = system_piped

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        """The output of a command, as a list of lines or as one text."""
        parts: list[str] = []
        self._run(self.var_expand(_in_front(cmd), depth=depth + 1), parts.append)
        return SList("".join(parts).splitlines()) if split else LSString("".join(parts))

    def _run(self, command: str, write: Callable[[str], object]) -> None:
        text, left_out = commands.without_installing(command)
        magics.note_left_out(self, left_out)
        try:
            status = commands.run(text, write)
        except FileNotFoundError:
            self.note(f"`!{command}` was not run: there is no shell here")
            status = 127
        else:
            if status:
                self.note(f"`!{command}` ended with status {status}; {_WHERE}")
        self.user_ns["_exit_code"] = status
        if status and self.system_raise_on_error:
            raise CalledProcessError(status, command)


def _no_input(*_: object, **__: object) -> NoReturn:
    """`input`, as in a kernel without a front end."""
    raise StdinNotImplementedError(f"raw_input {_NO_FRONT_END}")


def _no_password(*_: object, **__: object) -> NoReturn:
    """`getpass.getpass`, likewise."""
    raise StdinNotImplementedError(f"getpass {_NO_FRONT_END}")


def _in_front(command: str) -> str:
    """The command; raises OSError for one in the background, as IPython does."""
    if command.rstrip().endswith("&"):
        raise OSError("Background processes not supported.")
    return command
