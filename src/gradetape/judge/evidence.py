"""Evidence: graphs of the student's functions, which run in a worker that never runs the student's Python.

A worker that runs a student's code can be made to say anything. The bytes of a graph cannot: another worker loads them,
and runs them on inputs that the student's worker has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradetape.errors import StudentError
from gradetape.judge.clean import CleanWorker
from gradetape.records import Basis
from gradetape.remote.functions import WorkerFunction
from gradetape.remote.session import Session
from gradetape.wire.operations import Operation
from gradetape.wire.values import TensorSpec, WorkerPath

tf: Any
Given = Any  # the specs of a function of the submission, or an object with its specs
_Key = tuple[tuple[str, str], ...]


class Exported:
    """Functions by their names as attributes, in the worker in which they run."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        try:
            return self._functions[name]
        except KeyError:
            raise AttributeError(f"{name} was not exported: there are {', '.join(self._functions)}") from None


class Exports:
    """The graphs that a submission's checks have exported, and the clean worker that has loaded them.

    Graphs with variables are loaded anew for each check, so that none finds what another one left. `refused`: nothing
    can be exported, as by a puppet.
    """

    def __init__(self, clean: Callable[[], CleanWorker], *, refused: bool = False) -> None:
        self._new_clean = clean
        self._refused = refused
        self._clean: CleanWorker | None = None
        self._seed: int | None = 0
        self._files: dict[_Key, Any] = {}
        self._loaded: dict[_Key, dict[str, Any]] = {}

    def begin(self, cpu_s: float, seed: int) -> None:
        """Begins a check: grants its CPU seconds to the clean worker, which is seeded when it is first used."""
        self._seed = seed
        if self._clean is not None:
            self._clean.allow(cpu_s)

    def forget(self) -> None:
        """Forgets the graphs: each check exports them anew."""
        self._files, self._loaded = {}, {}

    def close(self) -> None:
        """Ends the clean worker; the bytes are kept."""
        if self._clean is not None:
            self._clean.close()
        self._clean, self._loaded = None, {}

    def clean(self) -> CleanWorker:
        """The clean worker; a new one if it has ended."""
        if self._clean is None or not self._clean.alive:
            self._clean, self._loaded = self._new_clean(), {}
        if self._seed is not None:
            self._clean.seed(self._seed)
            self._seed = None
        return self._clean

    def of(self, student: Session, functions: Mapping[str, Given]) -> Exported:
        """The graphs of functions. Raises StudentError if they cannot be exported."""
        if self._refused:
            raise StudentError("nothing can be exported")
        key, clean = _key(functions), self.clean()
        if key is not None and key in self._loaded:
            return Exported(self._loaded[key])
        files = self._files.get(key) if key is not None else None
        if files is None:
            files = _exported_files(student, functions)
        loaded, stateless = clean.run(_restored, clean.written(files), list(functions))
        found = {name: getattr(loaded, name) for name in functions}
        if key is not None:
            self._files[key] = files
            if stateless is True:
                self._loaded[key] = found
        return Exported(found)


class Exporter:
    """The fixture `exported`: it exports the student's functions, and returns their graphs in a clean worker.

    graphs = exported(log_cosh=[spec, spec])                       # a function of the submission
    graphs = exported(update=(metric.update_state, [spec, spec]), result=(metric.result, []))    # with common state
    assert_close(graphs.log_cosh(y_true, y_pred), expected)
    """

    def __init__(self, exports: Exports, student: Session, note: Callable[[Basis], None]) -> None:
        self._exports = exports
        self._student = student
        self._note = note

    def __call__(self, **functions: Given) -> Exported:
        """The graphs of functions; one that cannot be exported raises StudentError."""
        self._note(Basis.EVIDENCE)
        found = self._exports.of(self._student, functions)
        self._student.budget.mark_received()
        return found

    def if_possible(self, **functions: Given) -> Exported:
        """The graphs of functions or, if they cannot be exported, the functions themselves in the student's worker.

        For questions that do not ask for a graph. What the functions return is testimony then.
        """
        try:
            return self(**functions)
        except StudentError:
            self._note(Basis.TESTIMONY)
            return Exported({name: _function(self._student, name, given)[0] for name, given in functions.items()})


def _key(functions: Mapping[str, Given]) -> _Key | None:
    """A key of functions of the submission, whose graphs are the same in each check; None if objects are among them."""
    plain = (type(given) is list and all(type(spec) is TensorSpec for spec in given) for given in functions.values())
    return tuple((name, repr(given)) for name, given in functions.items()) if all(plain) else None


def _function(student: Session, name: str, given: Given) -> tuple[Any, Sequence[Any]]:
    """A function in the student's worker, and the specs of its arguments."""
    if type(given) is list:
        return getattr(student.names(), name), given
    function, specs = given
    return function, specs


def _exported_files(student: Session, functions: Mapping[str, Given]) -> Any:
    """The files of a SavedModel with the graphs of functions."""
    worker = student.ready()
    folder = WorkerPath(worker.ask(Operation.FOLDER))
    found = {name: list(_function(student, name, given)) for name, given in functions.items()}
    worker.ask(Operation.CALL, _export, [found, folder], {})
    return worker.ask(Operation.READ_TREE, folder)


@WorkerFunction
def _export(functions: Any, folder: Any) -> None:
    def tidied(converted: Any) -> Any:
        def call(*args: Any) -> Any:
            result = converted(*args)
            return None if isinstance(result, tf.Operation) else result  # as of metrics in tf-keras

        return call

    module, autograph = tf.Module(), tf.__internal__.autograph
    for name, (function, specs) in functions.items():
        converted = autograph.tf_convert(function, autograph.control_status_ctx())
        traced = tf.function(tidied(converted), input_signature=list(specs), autograph=False)
        graph = traced.get_concrete_function().graph
        setattr(module, name, traced)
        setattr(module, f"variables_of_{name}", list(graph.variables))
        if isinstance(function, tf.__internal__.tracking.AutoTrackable):
            setattr(module, f"owner_of_{name}", function)  # of tables and other resources
    tf.saved_model.save(module, str(folder))


@WorkerFunction
def _restored(folder: Any, names: Any) -> tuple[Any, bool]:
    loaded = tf.saved_model.load(str(folder))
    captured = [
        tensor
        for name in names
        for concrete in getattr(loaded, name).concrete_functions
        for tensor in concrete.captured_inputs
    ]
    return loaded, not any(tensor.dtype == tf.resource for tensor in captured)
