"""The public checks of one question, written by `gradetape release`: first the code that runs them, then the checks."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import linecache
import logging
import re
import tempfile
import textwrap
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf
from otter.test_files import test_case

# Some names are missing in `tensorflow.keras`: of Keras 3 some losses, of tf-keras the version.
keras = importlib.import_module("keras" if hasattr(tf.keras, "ops") else "tf_keras")
InvalidArgumentError = tf.errors.InvalidArgumentError
# Inserted with the checks, if one of them takes `exported`.
export_graphs: Any
restore_graphs: Any
MESSAGE_LENGTH = 2000
MISSING = "Missing"
OTHER_ARGUMENTS = "The check calls your code with other arguments than it takes"


def points(value: float) -> Callable[[Any], Any]:
    """Set the points of a check."""
    return _mark(points=value)


def hint(text: str) -> Callable[[Any], Any]:
    """Set what the student reads when the check does not pass."""
    return _mark(hint=text)


def proves(*sentences: str) -> Callable[[Any], Any]:
    """Quote what the question asks for and a check proves."""
    return _mark(sentences=sentences)


def limit(*_: Any, **__: Any) -> Callable[[Any], Any]:
    """Limit the check's time where it is graded; in the notebook there is no limit."""
    return _mark()


def gpu(check: Any) -> Any:
    """Require a GPU where the check is graded; in the notebook it runs on any device."""
    return check


def by_testimony(check: Any) -> Any:
    """State for staff what the check's verdict rests on; in the notebook this is of no effect."""
    return check


def cross_checked(check: Any) -> Any:
    """State for staff what the check's verdict rests on; in the notebook this is of no effect."""
    return check


def in_worker(function: Any) -> Any:
    """Run a function beside the student's code, which in the notebook is this process."""
    return function


def _mark(**marks: Any) -> Callable[[Any], Any]:
    def marked(check: Any) -> Any:
        vars(check).update(marks)
        return check

    return marked


class NotDefined(BaseException):
    """The notebook does not define a name. Not an Exception, so that no check catches it by mistake."""


class Student:
    """The names that the notebook defines."""

    def __init__(self, notebook: dict[str, Any]) -> None:
        self._notebook = notebook

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._notebook:
            raise NotDefined(f"{name} is not defined yet: run the cell that defines it, then check again.")
        return self._notebook[name]


class NotebookExporter:
    """The graphs of the student's functions, which are saved and loaded again, in the notebook in the same process."""

    def __init__(self, student: Student) -> None:
        self._student = student
        self._optional = self._declined = False

    def decline(self) -> bool:
        """Do without graphs from now on; return whether the check has asked for any that it can do without."""
        self._declined = self._optional
        return self._optional

    def __call__(self, **functions: Any) -> Any:
        """Return the graphs of functions."""
        signatures = {name: signatures_of(given) for name, given in functions.items()}
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, without_log_lines():
            export_graphs(self._named(functions), signatures, folder)
            return SimpleNamespace(**restore_graphs(folder, signatures)[0])

    def if_possible(self, **functions: Any) -> Any:
        """Return the graphs of functions; if the check does not pass with them, the functions themselves."""
        self._optional = True
        return SimpleNamespace(**self._named(functions)) if self._declined else self(**functions)

    def _named(self, functions: dict[str, Any]) -> dict[str, Any]:
        return {
            name: getattr(self._student, name) if isinstance(given, list) else given[0]
            for name, given in functions.items()
        }


@contextlib.contextmanager
def without_log_lines() -> Iterator[None]:
    """Keep out of the notebook what TensorFlow logs about files and about code that it cannot convert."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def signatures_of(given: Any) -> list[list[Any]]:
    """Return the distinct signatures of a function, which is given with one of them or with cases."""
    cases = given if isinstance(given, list) else given[1]
    if not (cases and all(isinstance(case, tuple) for case in cases)):
        cases = [cases]
    found = [
        [tf.TensorSpec(each.shape, each.dtype) if isinstance(each, np.ndarray | np.generic) else each for each in case]
        for case in cases
    ]
    return list({repr(signature): signature for signature in found}.values())


class PublicCheck(test_case):  # type: ignore[misc]
    """A check as otter runs it: titled by its docstring, reseeded, and with a short message when it fails."""

    def __init__(self, check: Callable[..., None]) -> None:
        title = " ".join((inspect.getdoc(check) or "").split("\n\n")[0].split())
        super().__init__(name=literal(title), points=vars(check).get("points", 0))
        self.test_func = check

    def __reduce__(self) -> Any:
        # Otter pickles its results, and this class is in no module from which another process could import it.
        return test_case, (self.name, self.points)

    def call_func(self, global_environment: dict[str, Any]) -> None:
        """Run the check on the notebook's names; if it fails, once more without the graphs that it can do without."""
        exported = NotebookExporter(Student(global_environment))
        error = self.error(global_environment, exported)
        if error is not None and exported.decline():
            error = self.error(global_environment, exported)
        if error is not None:
            # Otter shows the line of the third frame, so the traceback continues with the check's own frame.
            raise self.failure(error, global_environment).with_traceback(traceback_of(error)) from None

    def error(self, notebook: dict[str, Any], exported: NotebookExporter) -> BaseException | None:
        """Run the check once; return what it raised."""
        seed = zlib.crc32(self.test_func.__name__.encode())
        keras.utils.set_random_seed(seed)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            fixtures = fixtures_of(notebook, seed, Path(folder), exported)
            wanted = inspect.signature(self.test_func).parameters
            try:
                self.test_func(**{name: fixtures[name] for name in wanted})
            except (NotDefined, Exception) as error:
                return error
        return None

    def failure(self, error: BaseException, notebook: dict[str, Any]) -> Exception:
        """Return the error that otter shows as `label: text`."""
        label, text = explain(error, notebook)
        marks = vars(self.test_func)
        lines = [text[:MESSAGE_LENGTH]]
        if marks.get("hint") and label not in (MISSING, OTHER_ARGUMENTS):  # A hint is about wrong values.
            lines.append(f"Hint: {marks['hint']}")
        if label != MISSING:
            lines += [f'The question says: "{sentence}"' for sentence in marks.get("sentences", ())]
        shown: type[Exception] = type(label, (Exception,), {})
        return shown(literal("\n".join(lines)))


def fixtures_of(notebook: dict[str, Any], seed: int, folder: Path, exported: NotebookExporter) -> dict[str, Any]:
    """Return the fixtures of a check by name."""
    return {
        "student": Student(notebook),
        "keras": keras,
        "tf": tf,
        "rng": np.random.default_rng(seed),
        "worker_tmp_path": folder,
        "exported": exported,
    }


def traceback_of(error: BaseException) -> Any:
    """Return an error's traceback without its first frame, which is this file's."""
    own = error.__traceback__
    return own and (own.tb_next or own)


# What a student reads of an error

ANSI_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
TENSOR_VALUES = re.compile(r"<((?:tf\.)?(?:Tensor|Variable)[^<>]*?),? (?:numpy|value)=[^<>]{80,}>")
# TensorFlow puts these around the error of a graph.
IN_USER_CODE = re.compile(r'in user code:\n\n(?: +File "[^"]*", line \d+, in .*\n(?: {8,}.*\n)*)+\n?')
GRAPH_ERROR = re.compile(r"Graph execution error:\n\n(?:Detected at node .*?\n\n(?! ))+", re.DOTALL)
GRAPH_NODES = re.compile(r"\{\{function_node [^}]*\}\} ?|\s*\[\[\{\{node .*?\}\}\]\]|\s*\[Op:[^\]]*\](?: name: ?)?")
GRAPH_NODE = re.compile(r"'\{\{node \S+\}\} = (\w+)\[.*?\]\(.*?\)'")
PLACE_IN_CODE = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
# Python's and Keras' sentences about arguments that do not fit.
ARGUMENT_ERROR = re.compile(
    r"(?:([\w.]+)\(\) )?(?:takes|missing (?:a |\d+ )?required|got an unexpected|got multiple|got some positional)"
    r"|too many positional arguments|multiple values for argument|Binding inputs to tf.function failed"
)


def explain(error: BaseException, notebook: dict[str, Any]) -> tuple[str, str]:
    """Return what happened in a few words, and the message for the student."""
    own_lines = lines_of(error, notebook)
    if isinstance(error, NotDefined):
        return MISSING, str(error)
    if own_lines:
        return "Your code raised an error", "\n".join([error_text(error), *own_lines])
    if isinstance(error, AssertionError):
        return "Not yet", plain_text(str(error)) or "the condition in the line above is false."
    if isinstance(error, TypeError) and (named := ARGUMENT_ERROR.search(str(error))):
        return OTHER_ARGUMENTS, "\n".join([error_text(error), *call_lines(error, notebook, named[1] or "")])
    return "The check could not continue", f"{error_text(error)}\n{cause_of(error, notebook)}"


def error_text(error: BaseException) -> str:
    """Return an error's type, text and notes, without what TensorFlow and Keras put around them."""
    text, notes = str(error), getattr(error, "__notes__", [])
    kind = "" if IN_USER_CODE.match(text) else f"{type(error).__name__}: "
    return "\n".join([f"{kind}{plain_text(text)}", *notes])


def plain_text(text: str) -> str:
    """Return a text without colours, the insides of graphs, and the numbers of large tensors."""
    text = GRAPH_ERROR.sub("", IN_USER_CODE.sub("", ANSI_COLOURS.sub("", text)))
    text = GRAPH_NODES.sub("", GRAPH_NODE.sub(r"\1", TENSOR_VALUES.sub(r"<\1>", text)))
    return textwrap.dedent(text).replace("tf__", "").strip()


def lines_of(error: BaseException, notebook: dict[str, Any]) -> list[str]:
    """Return the lines of the notebook in which an error came up; a graph's are only in its text."""
    places = [
        (frame.f_code.co_filename, number, frame.f_code.co_name)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_globals is notebook and "__autograph" not in frame.f_code.co_filename
    ]
    text = str(error)
    if IN_USER_CODE.search(text) or GRAPH_ERROR.search(text):
        named = [(file, int(number), name) for file, number, name in PLACE_IN_CODE.findall(text)]
        places += [place for place in named if place not in places and is_cell(place[0])]
    return [
        f"    line {number} of the cell, in {'a lambda' if name in ('None', '<lambda>') else name}: {line}"
        for file, number, name in places
        if (line := linecache.getline(file, number, notebook).strip())
    ]


def is_cell(file: str) -> bool:
    """Return whether a file's name is that of a cell: most kernels write no file of that name."""
    return "ipykernel" in file or not Path(file).exists()


def call_lines(error: BaseException, notebook: dict[str, Any], name: str) -> Iterator[str]:
    """Yield how the check calls a function, and how the notebook defines it."""
    called = next((node for node in reversed(expressions_of(error)) if isinstance(node, ast.Call)), None)
    if called is not None and not any(isinstance(argument, ast.Starred) for argument in called.args):
        yield f"The check calls {source_of(called)}."
    name = name.removesuffix(".__init__")
    found: Any = notebook.get(name.partition(".")[0])
    for part in name.split(".")[1:]:
        found = getattr(found, part, None)
    with contextlib.suppress(TypeError, ValueError):  # Not everything has a signature.
        yield f"You defined {name}{inspect.signature(found)}."


def cause_of(error: BaseException, notebook: dict[str, Any]) -> str:
    """Return what stopped a check: most often a value of another type than the question asks for."""
    found = expressions_of(error)
    students = [node for node in found if "student" in ast.unparse(node)]
    node = next(reversed(students or found), None)
    base = misused_part(node, str(error)) if isinstance(error, AttributeError | TypeError) else None
    kind = re.search(r"'(\w+)'(?: object|$)", str(error))
    if "NoneType" in str(error):
        return f"{f'Here {source_of(base)} is None. ' if base else ''}Does your code return its result?"
    if kind and isinstance(error, AttributeError) and isinstance(notebook.get(kind[1]), type):
        return f"Does your class {kind[1]} define it?"
    if base and kind:
        return f"Here {source_of(base)} is a {kind[1]}. Does your code return what the question asks for?"
    return f"It came up in {source_of(node)}." if node else "Does your code return what the question asks for?"


def misused_part(node: ast.expr | None, text: str) -> ast.expr | None:
    """Return the part of an expression whose type an error is about, if that is sure."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        return node.value
    if not isinstance(node, ast.Call):
        return None
    if "not callable" in text:
        return node.func
    if ast.unparse(node).startswith("student."):
        return node
    return node.args[0] if len(node.args) == 1 else None


def source_of(node: ast.expr) -> str:
    """Return an expression of the check as the notebook would write it."""
    text = ast.unparse(node).replace("student.", "")
    return text if len(text) <= 100 else f"{text[:100]}\u2026"


def expressions_of(error: BaseException) -> list[ast.expr]:
    """Return the parts of the check's functions that could not be evaluated, the innermost last."""
    file = expressions_of.__code__.co_filename
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    found = [node for frame in frames[1:] if (node := expression_in(frame)) is not None]
    return [node for node in found if not isinstance(node, ast.Name | ast.Tuple | ast.List)]


def expression_in(frame: traceback.FrameSummary) -> ast.expr | None:
    """Return the expression at which a frame stood."""
    lines = [line.encode() for line in linecache.getlines(frame.filename)[(frame.lineno or 1) - 1 : frame.end_lineno]]
    if not lines or frame.colno is None or frame.end_colno is None:
        return None
    lines[-1] = lines[-1][: frame.end_colno]
    lines[0] = lines[0][frame.colno :]
    try:
        return ast.parse(b"".join(lines).decode().strip(), mode="eval").body
    except SyntaxError:
        return None


def literal(text: str) -> str:
    """Keep angle brackets and ampersands readable: otter inserts the text into a page unescaped."""
    return text.replace("<", "<\u2060").replace("&", "&\u2060")


@in_worker
def export_graphs(functions: Any, signatures: Any, folder: Any) -> None:
    """Save the graphs of functions for some signatures: lists of specs and of plain values, which are not traced."""
    autograph = tf.__internal__.autograph

    def traced(function: Any, signature: Any) -> Any:
        converted = autograph.tf_convert(function, autograph.control_status_ctx())

        def call(*tensors: Any) -> Any:
            left = iter(tensors)
            result = converted(*[next(left) if isinstance(each, tf.TypeSpec) else each for each in signature])
            return None if isinstance(result, tf.Operation) else result  # as of metrics in tf-keras

        specs = [each for each in signature if isinstance(each, tf.TypeSpec)]
        # A tf.function would be traced once more where it is saved.
        return tf.function(call, autograph=False).get_concrete_function(*specs)

    def module(owners: Any) -> Any:
        made = tf.Module()
        for name, graph in graphs.items():
            setattr(made, name, graph)
            setattr(made, f"variables_of_{name}", list(graph.graph.variables))
        made.owners = owners
        return made

    graphs = {
        f"{name}_{number}": traced(function, signature)
        for name, function in functions.items()
        for number, signature in enumerate(signatures[name])
    }
    owners = [getattr(function, "__self__", function) for function in functions.values()]
    bare = tf.saved_model.SaveOptions(experimental_skip_saver=True)  # nobody serves or trains what is saved
    try:
        tf.saved_model.save(module([]), str(folder), signatures={}, options=bare)
    except AssertionError:  # tables and other resources are saved with their owner alone
        tracked = [each for each in owners if isinstance(each, tf.__internal__.tracking.AutoTrackable)]
        tf.saved_model.save(module(tracked), str(folder), signatures={}, options=bare)


@in_worker
def restore_graphs(folder: Any, signatures: Any) -> Any:
    """Return functions that call the saved graphs, and whether none of these has a state."""
    restored = tf.saved_model.load(str(folder))

    def tensors_of(args: Any, signature: Any) -> Any:
        found = []
        for value, each in zip(args, signature, strict=True):
            if not isinstance(each, tf.TypeSpec):
                if type(value) is not type(each) or value != each:
                    return None
                continue
            tensor = tf.convert_to_tensor(value)
            if tensor.dtype != each.dtype or not each.shape.is_compatible_with(tensor.shape):
                return None
            found.append(tensor)
        return found

    def dispatched(name: Any) -> Any:
        def call(*args: Any) -> Any:
            for number, signature in enumerate(signatures[name]):
                tensors = tensors_of(args, signature) if len(args) == len(signature) else None
                if tensors is not None:
                    return getattr(restored, f"{name}_{number}")(*tensors)
            raise TypeError(f"{name} was not exported for such inputs")

        return call

    graphs = [getattr(restored, f"{name}_{number}") for name in signatures for number in range(len(signatures[name]))]
    captured = [tensor for graph in graphs for tensor in graph.captured_inputs]
    return {name: dispatched(name) for name in signatures}, not any(each.dtype == tf.resource for each in captured)


def assert_close(
    given: object, expected: object, advice: str = "", rtol: float | None = None, atol: float | None = None
) -> None:
    """Assert that `given` has the shape of `expected` and close values; `advice` is added to the message otherwise.

    Without tolerances, integers must be equal, and other numbers may differ by 1e-6 + 1e-5 |expected|. Only a NaN is
    close to a NaN. If text is expected, text or a tensor of strings must be equal to it.

    assert_close(student.log_cosh(y_true, y_pred), expected, "Take the mean over the last axis.")
    """
    found, wanted = _as_array(given), _as_array(expected)
    _assert_shape(given, found, wanted, advice)
    _assert_values(found, wanted, advice, rtol, atol)


def _as_array(value: Any) -> Any:
    """An array of numbers or of text; anything else becomes an array that holds None."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, NotImplementedError):
        return np.asarray(None)
    if array.dtype.name == "bfloat16":
        return array.astype("float32")
    if not _is_text(array):
        return array
    texts: Any = np.empty(array.shape, dtype=object)
    texts.flat = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in array.ravel().tolist()]
    return texts


def _is_text(array: Any) -> bool:
    kind = array.dtype.kind
    return kind in "US" or (kind == "O" and all(isinstance(item, str | bytes) for item in array.ravel().tolist()))


def _assert_shape(given: object, found: Any, wanted: Any, advice: str) -> None:
    text = _is_text(wanted)
    if not (_is_text(found) if text else found.dtype.kind in "biuf"):
        raise AssertionError(f"expected {'text' if text else 'numbers'}, but your code gave {_named(given)}. {advice}")
    assert found.shape == wanted.shape, f"expected shape {wanted.shape}, but your code gave {found.shape}. {advice}"


def _assert_values(found: Any, wanted: Any, advice: str, rtol: float | None, atol: float | None) -> None:
    """Integers are compared as such: as floating-point numbers, 2**53 and 2**53 + 1 are equal."""
    floating = "f" in (found.dtype.kind, wanted.dtype.kind) or rtol is not None or atol is not None
    rtol, atol = 1e-5 if rtol is None else rtol, 1e-6 if atol is None else atol
    if floating and not _is_text(wanted):
        far_off = ~np.isclose(found.astype("float64"), wanted.astype("float64"), rtol, atol, equal_nan=True)
    else:
        far_off = np.asarray(found != wanted)
    if far_off.any():
        at = tuple(np.argwhere(far_off)[0].tolist())
        where = f" at index {list(at)}" if at else ""
        due, came = _told_apart(wanted[at], found[at], rtol, atol)
        raise AssertionError(f"expected {due}{where}, but your code gave {came}. {advice}")


def _told_apart(due: Any, came: Any, rtol: float, atol: float) -> tuple[str, str]:
    """Two values as text: seven digits, or as many as tell the numbers apart, and then by how much they may differ."""
    if isinstance(due, str):
        return _shortened(repr(due)), _shortened(repr(came))
    if not isinstance(due, float | np.floating) and not isinstance(came, float | np.floating):
        return str(due), str(came)
    due, came = float(due), float(came)
    if f"{due:.7g}" != f"{came:.7g}":
        return f"{due:.7g}", f"{came:.7g}"
    digits = next((number for number in range(8, 17) if f"{due:.{number}g}" != f"{came:.{number}g}"), 17)
    allowed = f"the difference is {abs(due - came):.2g}, and {atol + rtol * abs(due):.2g} is allowed"
    return f"{due:.{digits}g}", f"{came:.{digits}g}: {allowed}"


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:120]} \u2026 {text[-60:]}"


def _named(value: Any) -> str:
    """What a value is, in a few words; of a tensor only its dtype and shape."""
    if isinstance(value, bool | int | float | np.generic):
        return f"{_shortened(repr(value))}, a plain number"
    if value is None or isinstance(value, str | bytes):
        return _shortened(repr(value))
    if isinstance(value, np.ndarray):
        with np.printoptions(threshold=6, edgeitems=2):
            return f"{_shortened(repr(value))}, a NumPy array"
    if type(value) in (list, tuple, dict):
        items = list(value.values() if isinstance(value, dict) else value)
        first = f", the first one {_named(items[0])}" if items else ""
        return f"a {type(value).__name__} of {len(items)}{first}"
    return str(_kind_of(value))


@in_worker
def _kind_of(value: Any) -> str:
    name = type(value).__name__
    if "KerasTensor" in name:
        return f"a symbolic Keras tensor of shape {value.shape}, which has no numbers"
    if isinstance(value, tf.Variable) or name == "Variable":
        return f"a variable of dtype {tf.as_dtype(value.dtype).name} and shape {tuple(value.shape)}"
    if isinstance(value, tf.Tensor):
        symbolic = "" if hasattr(value, "numpy") else "symbolic "
        unknown = "" if hasattr(value, "numpy") else ", which has no numbers outside its graph"
        return f"a {symbolic}tensor of dtype {value.dtype.name} and shape {value.shape}{unknown}"
    if isinstance(value, type):
        return f"the class {value.__name__} instead of an object of it"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}, which was not called"
    return f"an object of class {name}"


@in_worker
def ops_in(fn: Any, *specs: Any) -> list[str]:
    """Return the names of all operations in the graph of `fn`, traced for `specs`, including nested functions.

    assert "While" in ops_in(student.running_totals, tf.TensorSpec([None], "float32"))
    """
    traced = fn if hasattr(fn, "get_concrete_function") else tf.function(fn)
    graph = traced.get_concrete_function(*specs).graph.as_graph_def()
    nodes = [*graph.node, *(node for body in graph.library.function for node in body.node_def)]
    return sorted({node.op for node in nodes})


def assert_tensor(
    given: Any, expected: object, advice: str = "", rtol: float | None = None, atol: float | None = None
) -> None:
    """Assert that `given` is a tensor with the shape, dtype and values of `expected`; integers must be equal.

    Floating-point numbers are compared as by `assert_close`. If text is expected, the dtype must be string.

    assert_tensor(student.arange_like_numpy(5), np.arange(5, dtype="int64"))
    """
    _assert_tensor(given, _fetched(given), expected, advice, rtol, atol)


def _assert_tensor(
    given: Any, fetched: Any, expected: object, advice: str, rtol: float | None, atol: float | None
) -> None:
    is_tensor, values = fetched
    if not is_tensor:
        more = " A function without `return` gives None." if given is None else ""
        raise AssertionError(f"expected a tensor, but your code gave {_named(given)}. {advice}{more}")
    found, wanted = _as_array(values), _as_array(expected)
    _assert_shape(given, found, wanted, advice)
    due, came = (_dtype_name(np.asarray(array)) for array in (expected, values))
    assert came == due, f"expected dtype {due}, but your code gave {came}. {advice}"
    floating = "f" in found.dtype.kind
    _assert_values(found, wanted, advice, rtol if floating else None, atol if floating else None)


def _dtype_name(array: Any) -> str:
    return "string" if _is_text(array) else str(array.dtype.name)


@in_worker
def _fetched(value: Any) -> Any:
    """Return whether a value is a tensor with numbers, and the numbers; any other value comes back as it is."""
    if isinstance(value, tf.Tensor) and hasattr(value, "numpy"):
        return True, np.asarray(value.numpy(), dtype=object if value.dtype == tf.string else None)
    return False, value


import numpy as np


PYTHON_OPS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


def ranks(x):
    """Return the normalized ranks of each row, in NumPy."""
    lower = (x[:, np.newaxis, :] < x[:, :, np.newaxis]).sum(axis=-1)
    equal = (x[:, np.newaxis, :] == x[:, :, np.newaxis]).sum(axis=-1)
    return ((lower + (equal - 1) / 2) / (x.shape[1] - 1)).astype("float32")


def rows_with_ties(rng):
    """Draw rows in which some values are equal, 0 among them."""
    return rng.choice([0.0, *rng.normal(size=5)], size=(5, int(rng.integers(7, 12)))).astype("float32")


@points(0.5)
@proves("\u2026 its smallest value has rank 0, its largest n - 1 \u2026", "\u2026 and equal values share the mean of their ranks. Values that differ, however little, are not equal; 0.0 and -0.0 are equal.", "Ranks are then divided by n - 1.")
@hint("Count, for each value, how many in its row are smaller and how many are equal. An argsort alone breaks ties.")
def test_ranks_with_ties(student, exported, rng):
    """NormalizedRanks ranks each row, and equal values share their mean rank."""
    x = rows_with_ties(rng)
    graph = exported.if_possible(layer=(student.NormalizedRanks(), [(x,), (x[:1],)])).layer
    for rows in (x, x[:1]):
        for layer in (student.NormalizedRanks(), graph):
            assert_tensor(layer(rows), ranks(rows), f"That is NormalizedRanks of {rows.round(2)}.")


@points(0.5)
@proves("\u2026 its smallest value has rank 0, its largest n - 1 \u2026", "\u2026 and equal values share the mean of their ranks. Values that differ, however little, are not equal; 0.0 and -0.0 are equal.", "Ranks are then divided by n - 1.")
@hint("tf.py_function hands your function a tensor, with .numpy(); a list that it returns counts as several results.")
def test_python_ranks_with_ties(student, rng):
    """PythonRanks computes the same."""
    x = rows_with_ties(rng)
    for rows in (x, x[:1]):
        assert_tensor(student.PythonRanks()(rows), ranks(rows), f"That is PythonRanks of {rows.round(2)}.")


@points(1)
@proves("No Python hides in its graph: no py_function or numpy_function, not even in the body of a loop or a map.", "\u2026 through tf.py_function.", "It does not use NormalizedRanks.")
@hint("Trace NormalizedRanks in your mind: every step must be an operation that takes tensors and gives tensors.")
def test_where_the_graph_calls_python(student, exported, tf, rng):
    """The graph of NormalizedRanks holds no Python, and that of PythonRanks does."""
    x = rng.normal(size=(4, int(rng.integers(5, 12)))).astype("float32")
    spec = tf.TensorSpec((None, x.shape[1]), "float32")
    layers = {"NormalizedRanks": student.NormalizedRanks(), "PythonRanks": student.PythonRanks()}
    graphs = exported.if_possible(**{name: (layer, [spec]) for name, layer in layers.items()})
    for name, layer in layers.items():
        assert_close(layer(x), ranks(x), f"That is {name}.")
        found = sorted(PYTHON_OPS.intersection(ops_in(getattr(graphs, name), spec)))
        due = ["EagerPyFunc"] if name == "PythonRanks" else []
        expected = "calls by tf.py_function, EagerPyFunc," if due else "no call of Python"
        assert found == due, f"expected {expected} in the graph of {name}, but it has {found or 'no call of Python'}"


OK_FORMAT = False
# Otter looks for a number in a global `points`; here each check has its own points.
globals().update(
    {
        key: PublicCheck(value)
        for key, value in globals().items()
        if key.startswith("test") and inspect.isfunction(value)
    },
    points=None,
)


name = "q09_graph_ready (public checks; hidden ones follow)"
