"""The fixtures and marks of checks, each declared once.

pytest's fixtures and markers, the refusals of `gradetape release` and the reference page of the documentation are made
from these records. `release/notebook_runtime.py` provides the same in students' notebooks; a test compares the two.

The pytest plugin imports this module in every session, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gradetape.records import Check

if TYPE_CHECKING:
    from gradetape.judge.context import CheckContext
    from gradetape.wire.values import WorkerPath


@dataclass(frozen=True)
class CheckFixture:
    """A fixture of checks: its description, and the function that provides it in the judge.

    `loads` is the worker whose cells must have run before the check begins. With `in_notebook`, public checks may use
    it.
    """

    name: str
    description: str
    provide: Callable[[CheckContext, Check], object]
    loads: Literal["student", "reference"] | None = None
    in_notebook: bool = False


@dataclass(frozen=True)
class CheckMark:
    """A mark of checks, with its arguments as pytest shows them. With `in_notebook`, public checks may carry it."""

    name: str
    arguments: str
    description: str
    in_notebook: bool = True

    @property
    def signature(self) -> str:
        """The mark with its arguments, such as `points(number)`."""
        return f"{self.name}({self.arguments})" if self.arguments else self.name


def _source(context: CheckContext, check: Check) -> str:
    return "\n\n".join(cell.source for cell in context.job.cells if cell.question == check.question)


def _worker_path(context: CheckContext, check: Check) -> WorkerPath:
    from gradetape.wire.operations import Operation
    from gradetape.wire.values import WorkerPath

    return WorkerPath(str(context.student.ready().ask(Operation.FOLDER)))


FIXTURES = (
    CheckFixture(
        "student",
        "The names that the submission defines.",
        lambda context, check: context.student.names(),
        loads="student",
        in_notebook=True,
    ),
    CheckFixture(
        "reference",
        "The same names as the reference solution defines them, in a worker of its own.",
        lambda context, check: context.reference().names(),
        loads="reference",
    ),
    CheckFixture(
        "keras",
        "Keras in the student's worker.",
        lambda context, check: context.student.module("keras"),
        loads="student",
        in_notebook=True,
    ),
    CheckFixture(
        "tf",
        "TensorFlow in the student's worker.",
        lambda context, check: context.student.module("tf"),
        loads="student",
        in_notebook=True,
    ),
    CheckFixture(
        "rng",
        "A NumPy random generator that depends only on the course's secret seed and the check.",
        lambda context, check: context.rng(),
        in_notebook=True,
    ),
    CheckFixture(
        "worker_tmp_path",
        "An empty folder in the student's worker.",
        _worker_path,
        loads="student",
        in_notebook=True,
    ),
    CheckFixture(
        "clean",
        "A worker that has never run the student's code.",
        lambda context, check: context.clean(),
    ),
    CheckFixture(
        "exported",
        "Exports the student's functions as graphs, and runs them in a worker that has never run the student's code.",
        lambda context, check: context.exported(),
        loads="student",
        in_notebook=True,
    ),
    CheckFixture("source", "The text of the student's answer cells for the check's question.", _source),
)

MARKS = (
    CheckMark("points", "number", "the points of the check"),
    CheckMark("proves", "*requirements", "the ids of the prompt's requirements that the check proves"),
    CheckMark("hint", "text", "what the student reads when the check does not pass"),
    CheckMark("limit", "seconds", "how long the check may take"),
    CheckMark("gpu", "", "the check needs a GPU"),
    CheckMark(
        "by_testimony",
        "",
        "the check rests on what only the student's worker can say, though it exports graphs",
    ),
    CheckMark(
        "cross_checked",
        "",
        "the check compares what the student's worker says with what it cannot have known",
    ),
)

NOTEBOOK_FIXTURES = tuple(fixture.name for fixture in FIXTURES if fixture.in_notebook)
NOTEBOOK_MARKS = tuple(mark.name for mark in MARKS if mark.in_notebook)


def loading(worker: Literal["student", "reference"]) -> frozenset[str]:
    """The fixtures that need a worker that has run its cells."""
    return frozenset(fixture.name for fixture in FIXTURES if fixture.loads == worker)
