"""How checks ended, and the grade of a submission that they make."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gradetape.records.submissions import Cell, Origin, Question


class Verdict(StrEnum):
    """How a check ended. A fault is an error of the grader, never of the student."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    MISSING = "missing"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    SKIPPED = "skipped"
    FAULT = "fault"


class Basis(StrEnum):
    """What the verdict of a check rests on.

    `EVIDENCE`: graphs of the student's functions, run in a worker that never runs the student's Python. `CHECKED`: what
    the student's worker said, compared with what it cannot have known. `TESTIMONY`: what the student's worker said.
    """

    EVIDENCE = "evidence"
    CHECKED = "cross-checked"
    TESTIMONY = "testimony"


class Status(StrEnum):
    """The state of a submission, or that there is none."""

    GRADED = "graded"
    NEEDS_ATTENTION = "needs_attention"
    UNREADABLE = "unreadable"
    NO_SUBMISSION = "no_submission"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it was collected; its id is `question::public|hidden::name`.

    `requirements` holds the ids of the prompt's requirements that it proves.
    """

    question: str
    name: str
    public: bool
    title: str
    hint: str
    points: float
    requirements: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id that graders use to select the check."""
        return f"{self.question}::{self.short_id}"

    @property
    def short_id(self) -> str:
        """The id within its question, such as `hidden::test_asymmetry`."""
        return f"{'public' if self.public else 'hidden'}::{self.name}"


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """One check on one submission.

    `message` is for the student; `staff_message` and `command`, which runs the check again, are for staff only.
    `sentences` quote what the prompt says about a check that failed or raised, for the student too. `basis` is what the
    verdict rests on.
    """

    check: Check
    verdict: Verdict
    points: float
    seconds: float
    message: str = ""
    staff_message: str = ""
    command: str = ""
    sentences: tuple[str, ...] = ()
    basis: Basis = Basis.TESTIMONY


class CellEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a student should know about a cell.

    `cell` counts the code cells from 0. `kind` is `error`, `salvaged` (what was run of it after an error),
    `quarantined`, `copied`, `note` (what it did not do as in a notebook) or `output`.
    """

    cell: int
    kind: str
    text: str
    question: str | None = None


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """The grade of one submission: results in the assignment's order, and how they were obtained.

    `layers` are the isolation layers that were in force, `devices` the GPUs that TensorFlow saw, `versions` the
    software that graded. `key` is the digest of everything that decides a result: submission, checks, environment and
    policy. `attention` lists why staff must look at the submission before the grade is final, `concerns` why they
    should look at a final one; `review` lists signs that it interfered with the grading, which change no points
    and are for staff only. `modified` and `origin` are the submission's, and so are `cells`, the code that was graded;
    a grade of an older version has none.
    """

    assignment: str
    student: str
    file: str
    sha256: str
    key: str
    status: Status
    isolation: str
    questions: tuple[Question, ...] = ()
    results: tuple[CheckResult, ...] = ()
    events: tuple[CellEvent, ...] = ()
    notes: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    seconds: float = 0.0
    modified: str = ""
    origin: Origin | None = None
    cells: tuple[Cell, ...] = ()
    concerns: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it needs attention, whether it is final or not."""
        return (*self.attention, *self.concerns)

    @property
    def max_points(self) -> float:
        """The points that the graded questions are worth."""
        return sum(question.points for question in self.questions)

    @property
    def points(self) -> float:
        """The points earned."""
        return sum(result.points for result in self.results)

    def has(self, question_id: str) -> bool:
        """Whether it has the question, by whatever title and points."""
        return any(each.id == question_id for each in self.questions)

    def of(self, question_id: str) -> tuple[CheckResult, ...]:
        """The results of one question."""
        return tuple(result for result in self.results if result.check.question == question_id)

    def earned(self, question_id: str) -> float:
        """The points earned on one question, without the noise of floating point."""
        return round(sum(result.points for result in self.of(question_id)), 6)
