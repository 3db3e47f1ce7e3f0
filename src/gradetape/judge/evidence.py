"""Evidence: graphs of the student's functions, which run in a worker that never runs the student's Python.

A worker that runs a student's code can be made to say anything. The bytes of a graph cannot: another worker loads them,
and runs them on inputs that the student's worker has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradetape.checks.graphs import export_graphs, optimize_nothing, restore_graphs
from gradetape.errors import StudentError
from gradetape.judge.clean import CleanWorker
from gradetape.records import Basis
from gradetape.remote.session import Session
from gradetape.wire.operations import Operation
from gradetape.wire.values import DType, TensorShape, TensorSpec, WorkerPath

Given = Any  # a signature or a list of cases, alone for a function of the submission, or in a pair with a function
Signature = list[Any]
_Key = tuple[tuple[str, str], ...]
_PLAIN = (TensorSpec, bool, int, float, str, type(None))


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
    can be exported, as by a puppet. Large because it holds what the current check asked for too.
    """

    def __init__(self, clean: Callable[[], CleanWorker], *, refused: bool = False) -> None:
        self._new_clean = clean
        self._refused = refused
        self._clean: CleanWorker | None = None
        self._seed: int | None = 0
        self._deterministic = True
        self._files: dict[_Key, Any] = {}
        self._loaded: dict[_Key, Any] = {}
        self._optional = False
        self.declined = refused

    def begin(self, cpu_s: float, seed: int) -> None:
        """Begins a check: grants its CPU seconds to the clean worker, which is seeded when it is first used."""
        self._seed, self._optional, self.declined, self._deterministic = seed, False, self._refused, True
        if self._clean is not None:
            self._clean.allow(cpu_s)

    def decline(self) -> bool:
        """Does without the graphs that the current check can do without; false if it has asked for none of these."""
        again = self._optional and not self.declined
        self.declined = self.declined or again
        return again

    def free(self, seed: int) -> None:
        """Begins again with a clean worker whose operations need not be deterministic."""
        self.close()
        self._seed, self._deterministic = seed, False

    def forget(self) -> None:
        """Forgets the graphs: each check exports them anew."""
        self._files, self._loaded = {}, {}

    def close(self) -> None:
        """Ends the clean worker; the bytes are kept."""
        if self._clean is not None:
            self._clean.close()
        self._clean, self._loaded = None, {}

    def of(self, student: Session, functions: Mapping[str, Given], *, optional: bool) -> Exported:
        """The graphs of functions. Raises StudentError if they cannot be exported."""
        if self._refused:
            raise StudentError("nothing can be exported")
        self._optional = self._optional or optional
        return Exported(self._calls(student, functions))

    def _calls(self, student: Session, functions: Mapping[str, Given]) -> Any:
        signatures = {name: _signatures(given) for name, given in functions.items()}
        key, clean = _key(functions, signatures), self._ready()
        if key is None:
            files = _exported_files(student, functions, signatures)
            return clean.run(restore_graphs, clean.written(files), signatures)[0]
        if key not in self._files:
            self._files[key] = _exported_files(student, functions, signatures)
        if key in self._loaded:
            return self._loaded[key]
        calls, stateless = clean.run(restore_graphs, clean.written(self._files[key]), signatures)
        if stateless is True:
            self._loaded[key] = calls
        return calls

    def _ready(self) -> CleanWorker:
        """The clean worker; a new one if it has ended."""
        if self._clean is None or not self._clean.alive:
            self._clean, self._loaded = self._new_clean(), {}
            self._clean.run(optimize_nothing)
        if self._seed is not None:
            self._clean.seed(self._seed, self._deterministic)
            self._seed = None
        return self._clean


class Exporter:
    """The fixture `exported`: it exports the student's functions, and returns their graphs in a clean worker.

    Each function is given a signature (a list of TensorSpecs) or cases (a list of tuples of arrays and plain values):
    then there is a graph for the shapes, dtypes and plain values of each case.

    graphs = exported(log_cosh=[spec, spec])                           # a function of the submission
    graphs = exported(log_cosh=[(y_true, y_pred), (y_true[0], y_pred[0])])
    graphs = exported(update=(metric.update_state, batches), result=(metric.result, [()]))    # with common state
    assert_close(graphs.log_cosh(y_true, y_pred), expected)
    """

    def __init__(self, exports: Exports, student: Session, note: Callable[[Basis], None]) -> None:
        self._exports = exports
        self._student = student
        self._note = note

    def __call__(self, **functions: Given) -> Exported:
        """The graphs of functions; one that cannot be exported raises StudentError."""
        return self._of(functions, optional=False)

    def if_possible(self, **functions: Given) -> Exported:
        """The graphs of functions or, if they cannot be exported, the functions themselves in the student's worker.

        For questions that do not ask for a graph. A check that does not pass with these graphs, or whose functions
        cannot be exported, is run once more without them: an object whose methods were traced may not be what it was.
        What the functions return is testimony then.
        """
        if not self._exports.declined:
            return self._of(functions, optional=True)
        self._note(Basis.TESTIMONY)
        return Exported({name: _function(self._student, name, given) for name, given in functions.items()})

    def _of(self, functions: Mapping[str, Given], *, optional: bool) -> Exported:
        found = self._exports.of(self._student, functions, optional=optional)
        self._note(Basis.EVIDENCE)
        self._student.budget.mark_received()
        return found


def _signatures(given: Given) -> list[Signature]:
    """The distinct signatures of a function: of each array its shape and dtype, and other values as they are."""
    cases = given if type(given) is list else given[1]
    if not (cases and all(type(case) is tuple for case in cases)):
        cases = [cases]
    distinct = {repr(signature): signature for signature in ([_spec(value) for value in case] for case in cases)}
    return list(distinct.values())


def _spec(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        text = value.dtype.kind in "SUO"
        return TensorSpec(TensorShape(value.shape), DType("string" if text else value.dtype.name))
    return value


def _key(functions: Mapping[str, Given], signatures: Mapping[str, list[Signature]]) -> _Key | None:
    """A key of functions of the submission, whose graphs are the same in each check; None if objects are among them."""
    named = all(type(given) is list for given in functions.values())
    plain = all(type(each) in _PLAIN for found in signatures.values() for signature in found for each in signature)
    return tuple((name, repr(found)) for name, found in signatures.items()) if named and plain else None


def _function(student: Session, name: str, given: Given) -> Any:
    """A function in the student's worker."""
    return getattr(student.names(), name) if type(given) is list else given[0]


def _exported_files(student: Session, functions: Mapping[str, Given], signatures: Mapping[str, list[Signature]]) -> Any:
    """The files of a SavedModel with the graphs of functions."""
    worker = student.ready()
    folder = WorkerPath(worker.ask(Operation.FOLDER))
    found = {name: _function(student, name, given) for name, given in functions.items()}
    worker.ask(Operation.CALL, export_graphs, [found, dict(signatures), folder], {})
    return worker.ask(Operation.READ_TREE, folder)
