"""A worker: runs a submission's cells in the sandbox, then answers the judge until it closes the connection. It trusts
the judge but is not trusted: whatever the student's code does to this process, the judge accepts nothing from it but
well-formed replies.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from gradetape.errors import WireRefused
from gradetape.wire.channel import Channel
from gradetape.wire.codec import Decoder, Encoder
from gradetape.wire.operations import Operation, ReplyKind
from gradetape.worker.cells import Cells, own_lines, text_of
from gradetape.worker.generation import keras
from gradetape.worker.integrity import changed
from gradetape.worker.objects import Objects, numbers
from gradetape.worker.output import Output, Stream
from gradetape.worker.settings import QuestionSettings, set_determinism

_TREE_BYTES = 256 << 20
_TREE_FILES = 2000
_PROCESSORS = 4
Bytes = npt.NDArray[np.uint8]
_MODULES = {"tf": tf, "keras": keras}
# As plain text, which is faster to look up than a member of an enum.
_OK, _MISSING, _RAISED = ReplyKind.OK.value, ReplyKind.MISSING.value, ReplyKind.RAISED.value


class MissingName(Exception):
    """The submission does not define a name."""


class Worker:
    """Answers requests of the form [sequence, operation, arguments, released handles].

    It is made before the fork, so that the zygote knows where in memory it is. Large because each of its parts must be
    among what the comparison from outside looks at.
    """

    __slots__ = (
        "_cells", "_channel", "_device_mb", "_main", "_names", "_objects", "_operations", "_output", "_settings",
        "_streams",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, output_limit: int) -> None:
        self._objects = Objects()
        self._channel = Channel(sock, Encoder(self._objects.refer), Decoder(self._objects.revive, trusting=True))
        self._output = Output(output_limit)
        self._streams = (Stream("stdout", 1, self._output), Stream("stderr", 2, self._output))
        self._main = types.ModuleType("__main__")
        self._names = self._main.__dict__
        self._cells = Cells(self._main, self._output)
        self._settings = QuestionSettings()
        self._device_mb = 0
        self._operations = self._table()

    def serve(self, device_mb: int = 0) -> None:
        """Answers until the judge closes the connection; `device_mb` is as for `prepare`."""
        self._device_mb = device_mb
        sys.stdout, sys.stderr = self._streams
        sys.modules["__main__"] = self._main
        self._answer_all()

    def loop(self) -> tuple[CodeType, CodeType, tuple[CodeType, ...]]:
        """The code of the loop, of what it calls to wait for a request, and of what else it calls."""
        others = (Worker._answer, Worker._send, Objects.release)
        return Worker._answer_all.__code__, Channel.receive.__code__, tuple(each.__code__ for each in others)

    def _answer_all(self) -> None:
        while True:
            try:
                sequence, operation, args, released = self._channel.receive()
            except (EOFError, OSError):
                return
            self._send(sequence, self._answer(operation, args))
            del args
            self._objects.release(released)

    def _send(self, sequence: int, reply: list[Any]) -> None:
        """One reply; a value that is too large or too deep to send becomes a handle."""
        self._objects.begin()
        try:
            self._channel.send([sequence, *reply])
        except WireRefused:
            self._objects.undo()
            self._channel.send([sequence, _OK, self._objects.hold(reply[1])])

    def _answer(self, operation: str, args: list[Any]) -> list[Any]:
        try:
            return [_OK, self._operations[operation](*args)]
        except MissingName as missing:
            return [_MISSING, str(missing)]
        except BaseException as error:
            return [_RAISED, *_described(error)]

    def _table(self) -> Mapping[str, Callable[..., Any]]:
        return {
            Operation.HELLO: self._prepare, Operation.CELL: self._run_cell,
            Operation.CHANGED: self._changed, Operation.REST: self._settings.reset,
            Operation.SEED: self._begin_check, Operation.OUTPUT: self._take_output,
            Operation.NAME: self._name, Operation.MODULE: _MODULES.__getitem__,
            Operation.GETATTR: getattr, Operation.SETATTR: setattr, Operation.DELATTR: delattr,
            Operation.CALL: _call, Operation.GETITEM: lambda value, index: value[index],
            Operation.SETITEM: _set_item, Operation.LEN: len, Operation.ITER: iter, Operation.NEXT: _next,
            Operation.ENTER: lambda value: value.__enter__(),
            Operation.EXIT: lambda value: value.__exit__(None, None, None),
            Operation.ISINSTANCE: _is_instance, Operation.ISSUBCLASS: issubclass, Operation.NUMBERS: numbers,
            Operation.FOLDER: tempfile.mkdtemp, Operation.READ_TREE: _read_tree, Operation.WRITE_TREE: _write_tree,
        }  # fmt: skip

    def _prepare(self, beside: Mapping[str, Bytes]) -> dict[str, Any]:
        """Prepares TensorFlow; the files of the assignment lie beside the notebook, where nobody may write to them."""
        _write_files(Path.cwd(), beside, 0o444)
        return prepare(self._device_mb)

    def _run_cell(
        self, index: int, source: str, only_definitions: bool, question: str = "", script: bool = False
    ) -> dict[str, str]:
        """Runs a cell, and records the settings of the process where it ended."""
        self._cells.begin(script)
        self._settings.begin()
        answer = self._cells.run(index, source, only_definitions, question)
        changes = self._settings.record(question)
        return {**answer, "note": "\n".join(filter(None, (answer["note"], changes)))}

    def _name(self, name: str) -> object:
        if name not in self._names:
            raise MissingName(name)
        return self._names[name]

    def _changed(self) -> list[str]:
        """What the cells replaced; TensorFlow keeps some of its settings in functions."""
        self._settings.reset()
        return changed()

    def _begin_check(self, number: int, question: str = "", deterministic: bool = True) -> None:
        """Begins a check of a question: its settings, its seeds, and nothing of what the one before had sent."""
        self._objects.begin_check()
        self._settings.restore(question)
        if not deterministic:
            set_determinism(False)
        seed(number)

    def _take_output(self) -> str:
        text = self._output.text()
        self._output.clear()
        return text


def prepare(device_mb: int = 0) -> dict[str, Any]:
    """Makes TensorFlow behave alike on every machine, before any computation; returns its versions and devices.

    With TF32, some GPUs would round the factors of a float32 product to 10 bits. `device_mb` is the part of a GPU's
    memory that this process may take, in MiB; 0 for as much as it needs.
    """
    _use_few_processors()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    cards = [] if os.environ.get("CUDA_VISIBLE_DEVICES") == "-1" else tf.config.list_physical_devices("GPU")
    for card in cards if device_mb else ():
        tf.config.set_logical_device_configuration(card, [tf.config.LogicalDeviceConfiguration(memory_limit=device_mb)])
    seed(0)
    return {
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        "devices": [str(tf.config.experimental.get_device_details(card).get("device_name", "GPU")) for card in cards],
    }


def _use_few_processors() -> None:
    """Keeps this process to a few processors of many: TensorFlow starts one thread for each, for each iterator."""
    available = os.sched_getaffinity(0)
    os.sched_setaffinity(0, random.SystemRandom().sample(sorted(available), min(len(available), _PROCESSORS)))


def seed(number: int) -> None:
    """Seeds Python, NumPy and TensorFlow; `number` is an integer from 0 to 2**32 - 1."""
    keras.utils.set_random_seed(number)
    random.seed(number)


def _described(error: BaseException) -> list[Any]:
    """The description of an exception that is sent; some exceptions raise another one when described."""
    try:
        return [_chain(error), type(error).__name__[:80], text_of(error), own_lines(error)]
    except BaseException:
        return [[], "Exception", "", ""]


def _chain(error: BaseException) -> list[str]:
    """The names of an exception's classes that come from Python or TensorFlow, most special first."""
    known = ("builtins", "tensorflow", "numpy")
    return [cls.__name__ for cls in type(error).__mro__ if str(cls.__module__).split(".")[0] in known]


def _call(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    return function(*args, **kwargs)


def _is_instance(value: object, cls: type) -> bool:
    """Uses `type`, since an object's own `__class__` may be anything."""
    return issubclass(type(value), cls)


def _set_item(value: Any, index: Any, item: object) -> None:
    value[index] = item


def _next(iterator: Iterator[Any]) -> list[Any]:
    for item in iterator:
        return [item]
    return []


def _read_tree(folder: Path) -> dict[str, Bytes]:
    """The regular files below a folder, links left out; raises ValueError beyond the limits."""
    found: dict[str, Bytes] = {}
    bytes_left = _TREE_BYTES
    for base, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(base, name)
            if path.is_symlink() or not path.is_file():
                continue
            bytes_left -= path.stat().st_size
            if bytes_left < 0 or len(found) >= _TREE_FILES:
                raise ValueError(f"{folder} holds more than {_TREE_BYTES >> 20} MiB or {_TREE_FILES} files")
            found[str(path.relative_to(folder))] = np.fromfile(path, np.uint8)
    return found


def _write_files(folder: Path, files: Mapping[str, Bytes], mode: int = 0o666) -> None:
    """Creates files with a mode: a sandbox may refuse to change it later."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data.data)


def _write_tree(files: dict[str, Bytes]) -> str:
    """Creates a folder with these files and returns its path."""
    folder = Path(tempfile.mkdtemp())
    _write_files(folder, files)
    return str(folder)
