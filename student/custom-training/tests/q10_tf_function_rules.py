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


def assert_each(
    fn: Any,
    cases: Any,
    expected: Callable[..., Any],
    advice: str = "",
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Assert that `fn(*inputs)` is the tensor `expected(*inputs)` in each case; all run in one exchange.

    `cases` maps a description, which the message shows, to the inputs.

    assert_each(student.mean_of_rows, {"one row": (x[:1],), "no rows": (x[:0],)}, lambda x: x.mean(axis=1))
    """
    results = _results(fn, _fetched, list(cases.values()), list(cases))
    for (case, inputs), result in zip(cases.items(), results, strict=True):
        about = f"This is the case: {case}. {advice}"
        _assert_tensor(result[1], result, expected(*inputs), about, rtol, atol)


@in_worker
def _results(fn: Any, fetched: Any, inputs: Any, names: Any) -> Any:
    results = []
    for name, values in zip(names, inputs, strict=True):
        try:
            results.append(fetched(fn(*values)))
        except Exception as error:
            error.add_note(f"This is the case: {name}.")
            raise
    return results


def assert_distributed(sample: Any, cdf: Callable[[Any], Any], advice: str = "", alarm: float = 1e-9) -> None:
    """Assert that independent draws follow a continuous distribution, given its cumulative distribution function.

    The statistic is the largest distance between the sample's and the given function. A right sample exceeds
    sqrt(ln(2 / alarm) / (2 n)) with a probability below `alarm`: the inequality of Dvoretzky, Kiefer and Wolfowitz
    with the constant of Massart (1990). With the default and n = 100,000 the bound is 0.0103.

    assert_distributed(noise, lambda x: np.clip(x, 0, 1), "The noise is uniform in [0, 1).")
    """
    values = np.sort(_numbers(sample, advice), axis=None)
    steps, exact = np.arange(len(values) + 1) / len(values), np.asarray(cdf(values))
    distance = max(np.abs(exact - steps[1:]).max(), np.abs(exact - steps[:-1]).max())
    bound = np.sqrt(np.log(2 / alarm) / (2 * len(values)))
    assert distance <= bound, (
        f"expected numbers of another distribution: the distance is {distance:.3g}, at most {bound:.3g} is due to "
        f"chance. {advice}"
    )


def _numbers(sample: Any, advice: str) -> Any:
    array = _as_array(sample)
    if array.dtype.kind not in "biuf":
        raise AssertionError(f"expected numbers, but your code gave {_named(sample)}. {advice}")
    numbers = array.astype("float64")
    assert numbers.size, f"expected numbers, but your code gave none: the shape is {numbers.shape}. {advice}"
    assert np.isfinite(numbers).all(), (
        f"expected finite numbers, but your code gave {numbers[~np.isfinite(numbers)][0]}. {advice}"
    )
    return numbers


import math

import numpy as np



@points(1)
@proves("noisy adds standard normal noise to a vector of any length, an independent number to each of its numbers.", "Draw anew with every call, direct or within anybody's graph, which may call noisy several times or in a loop.")
@hint("What draws the noise must run with every call. Where is the generator made, and where is it used?")
def test_noise_is_new(student, exported, tf, rng):
    """make_noisy's function adds standard normal noise, new with every call."""
    x, noisy = rng.normal(size=50_000).astype("float32"), student.make_noisy(int(rng.integers(1000)))
    assert_new_noise(noisy, x)
    graph = exported.if_possible(noisy=(noisy, [tf.TensorSpec((None,), "float32")])).noisy
    assert_new_noise(graph, x[:5000])


def assert_new_noise(noisy, x):
    """Show that a function adds standard normal noise to a vector, new with each of two calls."""
    noises = []
    for _ in range(2):
        given = noisy(x)
        assert_close(np.shape(given), x.shape, "That is the shape of noisy(x).")
        noises.append(np.asarray(given) - x)
    advice = "Is noisy(x) - x standard normal noise, another number for each number of x?"
    assert_distributed(noises, lambda z: (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2, advice)
    noise = np.concatenate(noises)
    correlations = np.abs(np.fft.irfft(np.abs(np.fft.rfft(noise)) ** 2) / len(noise))  # of the noise with itself
    again = correlations[1 : len(noise) // 2 + 1].max() > 8 / math.sqrt(len(noise))  # by chance once in 10**9 times
    assert not again, "expected new noise for each number and with every call, but some of it comes again"


def orbit(values, y):
    """Return the last y, in NumPy."""
    for v in values:
        y = v * y * (1 - y)
    return y


@in_worker
def ops_in_orbit(logistic_orbit, length):
    """Return the operations in a graph of logistic_orbit for a vector of that length."""

    def call(values, y):
        return logistic_orbit(values, y)

    graph = tf.function(call).get_concrete_function(tf.TensorSpec([length]), tf.TensorSpec([])).graph.as_graph_def()
    nodes = [*graph.node, *(inner for body in graph.library.function for inner in body.node_def)]
    return [node.op for node in nodes]


@points(1)
@proves("It replaces a scalar y by v * y * (1 - y) for each v of a vector in turn, and returns the last y, a float32 scalar.", "Let the graph loop, with a While or StatelessWhile in it, for vectors of known and of unknown length.", "The graph is no larger for 500 values than for 5.")
@hint("AutoGraph makes a loop of the graph's from `for v in values` and from tf.range. What does range() count with?")
def test_loop_in_the_graph(student, exported, tf, rng):
    """logistic_orbit is right, and its graph has a loop and the same size for every length."""
    for length in rng.choice(np.arange(2, 8), 2, replace=False).tolist():
        values, y = rng.uniform(2.8, 3, size=length).astype("float32"), np.float32(rng.uniform(0.1, 0.9))
        given = student.logistic_orbit(values, y)
        assert_close(given, orbit(values, y), f"That is logistic_orbit of {length} values.", rtol=1e-4)  # float32
    lengths = (None, 5, 50)
    assert_loops({length: ops_in_orbit(student.logistic_orbit, length) for length in lengths})
    specs = {f"of_{length}": [tf.TensorSpec([length]), tf.TensorSpec([])] for length in lengths}
    graphs = exported.if_possible(**{name: (student.logistic_orbit, each) for name, each in specs.items()})
    advice = f"That is a graph of logistic_orbit, for {len(values)} values."
    assert_close(graphs.of_None(values, y), orbit(values, y), advice, rtol=1e-4)
    assert_loops({length: ops_in_orbit(getattr(graphs, f"of_{length}"), length) for length in lengths})


def assert_loops(found):
    """Show that there is a loop in the graph for each length, and that the graph is no larger for 50 than for 5."""
    for length, ops in found.items():
        told = f"expected a While in the graph for a vector of {length or 'unknown'} length, but it has only {set(ops)}"
        assert {"While", "StatelessWhile"} & set(ops), told
    sizes = len(found[5]), len(found[50])
    assert sizes[1] <= sizes[0], f"the graph has {sizes[0]} operations for 5 values and {sizes[1]} for 50"


@in_worker
def in_a_graph(function, times):
    """Return a function that runs one graph, which applies a traced function so many times, for any length."""
    traced = tf.function(function)

    def repeated(x):
        for _ in range(times):
            x = traced(x)
        return x

    graph = tf.function(repeated, autograph=False).get_concrete_function(tf.TensorSpec((None,), "float32"))
    return lambda x: graph(tf.constant(x))


@in_worker
def calling_layer(layer, times):
    """Return two functions: one applies a layer so many times, one gives its calls."""

    def repeated(x):
        x = tf.convert_to_tensor(x)
        for _ in range(times):
            x = layer(x)
        return x

    def calls():
        return tf.convert_to_tensor(layer.calls)

    return repeated, calls


@in_worker
def is_variable(value):
    """Whether a value is a variable of TensorFlow or of Keras."""
    return isinstance(value, (tf.Variable, getattr(keras, "Variable", tf.Variable)))


@points(1)
@proves("It returns twice its float32 inputs, of any shape.", "Count every call, direct or whenever a graph runs, even if the layer occurs in it several times or in a loop.", "Let calls be a variable, and \u2026")
@hint("`self.calls += 1` runs while the layer is traced. What can the graph itself add to, and when is that made?")
def test_calls_are_counted(student, exported, tf, rng):
    """AuditedDouble counts every call: direct ones, and each of several in a graph whenever the graph runs."""
    layer, x = student.AuditedDouble(), rng.normal(size=(8, 4)).astype("float32")
    assert_close(layer.calls, 0, "That is `calls` before the first call.")
    direct, times, runs = rng.integers(2, 9, size=3).tolist()
    for _ in range(direct):
        assert_close(layer(x[0]), 2 * x[0])
    assert_close(layer.calls, direct, f"That is `calls` after {direct} direct calls.")
    assert is_variable(layer.calls), f"expected `calls` to be a variable, but it is {layer.calls!r}"
    graph = in_a_graph(layer, times)
    for vector in x[:runs]:
        assert_close(graph(vector), vector * 2**times)
    advice = f"That is `calls` after {direct} direct calls and {runs} runs of a graph with {times} calls in it."
    assert_close(layer.calls, direct + times * runs, advice)
    repeated, calls = calling_layer(student.AuditedDouble(), times)
    graphs = exported.if_possible(repeated=(repeated, [tf.TensorSpec((None,), "float32")]), calls=(calls, [()]))
    before = float(graphs.calls())
    for vector in x[:runs]:
        assert_close(graphs.repeated(vector), vector * 2**times)
    assert_close(float(graphs.calls()) - before, times * runs, f"So many calls count {runs} runs of a saved graph.")


@in_worker
def has_a_graph(function):
    """Whether a function is a tf.function, or is a wrapper of one."""
    code, names = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    used = [names[name] for name in code.co_names if name in names] if code else []
    held = [function, type(function).__call__, *cells, *used, *getattr(function, "__dict__", {}).values()]
    return any(hasattr(each, "get_concrete_function") for each in held)


@points(0.5)
@proves("\u2026 a tf.function total(x) that \u2026", "\u2026 adds the sum of a vector of any length to a running total and returns the total, a float32 scalar.", "Make one variable for each function that make_total returns: their totals are independent and begin at 0.")
@hint("Make the variable before the function is traced, once for each function that is returned.")
def test_running_totals(student, exported, tf, rng):
    """Each total is a tf.function that adds up the sums of its vectors, and of no other's."""
    totals, sums = [student.make_total(), student.make_total()], np.zeros(2)
    for turn, which in enumerate((0, 1, 1, 0)):
        x = rng.normal(size=rng.integers(2, 9)).astype("float32")
        sums[which] += x.sum()
        advice = f"That is the total of call {turn + 1} of two functions, which were called in the order 1, 2, 2, 1."
        assert_close(totals[which](x), sums[which], advice, rtol=1e-4, atol=1e-5)  # float32, another order
    assert has_a_graph(totals[0]), "expected a tf.function, but make_total returned a function without one"
    graph, due = exported.if_possible(total=(student.make_total(), [tf.TensorSpec((None,), "float32")])).total, 0.0
    for size in rng.integers(2, 9, size=3).tolist():
        x = rng.normal(size=size).astype("float32")
        due += x.sum()
        assert_close(
            graph(x), due, "That is the total of a graph that was saved and loaded.", rtol=1e-4, atol=1e-5
        )  # as above


@in_worker
def runs_of(trace_once, calls):
    """Return the results of many calls, and what fn got in each run of its Python."""
    seen = []

    def fn(x, factor):
        seen.append(factor)
        return factor * x + 1

    function = trace_once(fn)
    return [function(tf.constant(x), factor) for x, factor in calls], [str(factor) for factor in seen]


@points(0.5)
@proves("It computes fn(x, factor) for a vector x of any length and a Python integer or float as factor, both by position, also within other graphs.", "However many numbers and lengths come, the Python of each fn runs at most twice.")
@hint("Python numbers are part of a trace's key, tensors are not. An input_signature can say what to expect.")
def test_few_runs_of_python(student, rng):
    """trace_once computes fn(x, factor) for many numbers, and fn's Python runs at most twice."""
    factors = [*rng.integers(2, 99, size=3).tolist(), *rng.uniform(1, 99, size=3).tolist()]
    lengths = rng.permutation(np.arange(2, 8)).tolist()
    calls = [(rng.normal(size=size).astype("float32"), factor) for size, factor in zip(lengths, factors, strict=True)]
    results, seen = runs_of(student.trace_once, calls)
    for (x, factor), result in zip(calls, results, strict=True):
        assert_close(result, np.float32(factor) * x + 1, f"fn(x, factor) is factor * x + 1, factor is {factor!r}.")
    told = f"expected at most 2 runs of fn's Python in {len(calls)} calls, but it ran {len(seen)} times, with {seen}"
    assert len(seen) <= 2, told


@points(1)
@proves("It divides a vector by its largest absolute value if that is more than 1, and \u2026", "\u2026 otherwise returns it unchanged.", "One trace must serve both cases, for vectors of any length but 0.")
@hint("AutoGraph turns `if` on a tensor into a condition of the graph's. What does bool() ask for?")
def test_both_branches(student, exported, tf, rng):
    """One trace of limit_to_one serves vectors that are too large and vectors that are not."""
    large, small = rng.uniform(2, 9, size=5).astype("float32"), rng.uniform(-0.9, 0.9, size=7).astype("float32")
    large[rng.integers(5)] *= -2
    cases = {f"limit_to_one({x.round(2).tolist()})": (x,) for x in (large, small, -large)}
    graph = in_a_graph(student.limit_to_one, 1)
    assert_each(graph, cases, lambda x: x / max(1, np.abs(x).max()), "It runs in a graph.")
    assert_close(student.limit_to_one(large), large / np.abs(large).max(), "That is limit_to_one called directly.")
    graph = in_a_graph(exported.if_possible(limit_to_one=[tf.TensorSpec((None,), "float32")]).limit_to_one, 1)
    assert_each(graph, cases, lambda x: x / max(1, np.abs(x).max()), "It runs in a graph that was saved and loaded.")


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


name = "q10_tf_function_rules (public checks; hidden ones follow)"
