"""The frozen records that packages and processes exchange. This module imports no other package."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec


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


class Question(msgspec.Struct, frozen=True, kw_only=True, rename={"id": "stem"}):
    """One exercise of an assignment; its `id` names all its files, `points` is what students see.

    Gradebooks of every version store the id as `stem`.
    """

    id: str
    title: str
    points: float


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """The text of one code cell; `question` is the question id that the notebook's metadata gives it, if any.

    `script`: it is part of a script, which has a `__file__`.
    """

    source: str
    question: str | None = None
    script: bool = False


# What `gradetape fetch moodle` puts before the number of a user of Moodle's, which is no participant's number.
MOODLE_USER = "user-"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a submission comes from: the layout of the folder, and what the platform says of the person and the time.

    `layout` is the layout's name, such as `canvas`; `id` the platform's id of the person. A text is empty if the
    platform does not say it. `submitted` has a time zone and is None if the time is unknown; `late` is the platform's
    own mark, None if it has none.
    """

    layout: str
    id: str = ""
    login: str = ""
    email: str = ""
    section: str = ""
    submitted: datetime | None = None
    late: bool | None = None

    @property
    def known_by(self) -> str:
        """The id, or else the login, or else the email; empty if the platform says none of them."""
        return self.id or self.login or self.email

    @property
    def has_own_id(self) -> bool:
        """Whether the id is the platform's own: in the downloads of all others it is the university's."""
        return self.layout in ("canvas", "moodle", "brightspace")


class RubricItem(msgspec.Struct, frozen=True, kw_only=True):
    """What staff look for in a written answer, and its points; points below 0 are a deduction."""

    id: str
    text: str
    points: float


class AnswerPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a written answer: `kind` is `text`, `code`, `picture` or `note`, which says what was left out.

    `picture` are the bytes of a PNG file.
    """

    kind: str
    text: str = ""
    picture: bytes = b""


class WrittenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a notebook holds as the answer to a written question, in the order of its cells."""

    question: str
    parts: tuple[AnswerPart, ...] = ()


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A student's submission as text; nothing in it was run. `sha256` is of the file's bytes.

    `assignment` is the one that it is graded for, `declared_assignment` the one that its metadata names, if any.
    `modified` is when the file was last changed, according to the file system: an ISO time in UTC, or empty. `others`
    are the names of the student's files that were not graded because this one counts. `origin` is None if the file
    was passed by itself, and in the records of older versions. `answers` are those to written questions that the
    notebook has cells for.
    """

    student: str
    file: str
    sha256: str
    assignment: str | None
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    modified: str = ""
    declared_assignment: str | None = None
    others: tuple[str, ...] = ()
    origin: Origin | None = None
    answers: tuple[WrittenAnswer, ...] = ()


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A file that cannot be read as a submission, with the reason and what to do next.

    `for_student` replaces `reason` on the student's page where `reason` names other people or their files. `modified`
    is when the file was last changed, as that of a submission; of several files, the earliest.
    """

    student: str
    file: str
    sha256: str
    reason: str
    for_student: str = ""
    origin: Origin | None = None
    modified: str = ""


class NoSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the class list who has handed in nothing. What the list does not say is empty."""

    student: str
    id: str = ""
    email: str = ""
    section: str = ""


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


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """A student's results in checks of one question as they are recorded, and with the checks as they are now.

    `lost` says why there are no results now: the machinery failed, or the grade has no code.
    """

    student: str
    before: tuple[CheckResult, ...]
    now: tuple[CheckResult, ...] = ()
    lost: str = ""

    @property
    def points(self) -> tuple[float, float]:
        """The points before and now."""
        before, now = (round(sum(result.points for result in each), 6) for each in (self.before, self.now))
        return before, before if self.lost else now

    @property
    def gain(self) -> float:
        """How many points the student would gain; below 0, lose."""
        before, now = self.points
        return round(now - before, 6)


class PointsChange(msgspec.Struct, frozen=True, kw_only=True):
    """A question for which the same file got other points than in the attempt before; `at` is an ISO time in UTC."""

    student: str
    question: str
    before: float
    after: float
    at: str = ""


class MixedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question that was judged under two versions of something: `students` under another one than the newest.

    `what` names it, such as "its checks"; `of` counts all students with a result.
    """

    question: str
    what: str
    students: tuple[str, ...]
    of: int


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Points that staff set for a question instead of the checks; `at` and `undone_at` are ISO times in UTC.

    In the gradebook, `question` may be the id of one check of it, whose points are set; in a final score it is not.
    """

    student: str
    question: str
    points: float
    reason: str
    by: str
    at: str
    undone_at: str = ""
    undone_by: str = ""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What staff wrote on a student's answer, which the student reads; `at` and `removed_at` are ISO times in UTC.

    `check` is the id of the check that it is about, or empty. `number` is its number in the gradebook.
    """

    student: str
    question: str
    text: str
    by: str
    at: str
    check: str = ""
    removed_at: str = ""
    removed_by: str = ""
    number: int = 0


class DoneMark(msgspec.Struct, frozen=True, kw_only=True):
    """That a member of staff is done with a student's question, or is not after all; `at` is an ISO time in UTC.

    `question` is empty for the whole submission. `basis` is the digest of the result that was looked at.
    """

    student: str
    question: str
    done: bool
    basis: str
    by: str
    at: str


class RegradeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A student's question about points, and its answer; `by` recorded it at `at`, an ISO time in UTC.

    It is open while `answered_at` is empty. `points` are those that the answer set, None if it only gave a reason.
    `number` is its number in the gradebook.
    """

    student: str
    question: str
    text: str
    by: str
    at: str
    answer: str = ""
    points: float | None = None
    answered_by: str = ""
    answered_at: str = ""
    number: int = 0


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A student who was renamed or removed, by whom and when (an ISO time in UTC), with the numbers of rows.

    `action` is `rename` or `forget`. The names are empty where the student was removed.
    """

    action: str
    by: str
    at: str
    old: str = ""
    new: str = ""
    attempts: int = 0
    overrides: int = 0


class MarkState(StrEnum):
    """Whether a person has marked a written answer.

    `AGAIN`: the answer or the rubric was changed since. `NOT_FOUND`: the notebook has no cell for the question, so that
    a person has to look. An `UNANSWERED` question waits for nobody.
    """

    MARKED = "marked"
    WAITING = "waiting"
    AGAIN = "to be marked again"
    NOT_FOUND = "no cell found"
    UNANSWERED = "unanswered"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What staff gave for a written answer: the ids of rubric items, points more or less, and a comment.

    `answer` is the digest of the answer that was marked, empty if none was found; `at` and `undone_at` are ISO times
    in UTC.
    """

    student: str
    question: str
    answer: str
    items: tuple[str, ...]
    adjustment: float
    comment: str
    by: str
    at: str
    undone_at: str = ""
    undone_by: str = ""


class WrittenScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a student has for a written question; without a mark in force there are no points.

    `items` are those that were applied, as the rubric has them now. `by` and `at` are for staff.
    """

    question: Question
    state: MarkState
    points: float = 0.0
    items: tuple[RubricItem, ...] = ()
    adjustment: float = 0.0
    comment: str = ""
    by: str = ""
    at: str = ""

    @property
    def is_open(self) -> bool:
        """Whether a person has to mark it."""
        return self.state in (MarkState.WAITING, MarkState.AGAIN, MarkState.NOT_FOUND)


class FinalScore(msgspec.Struct, frozen=True, kw_only=True):
    """A student's points after overrides and the late policy, next to the measured points.

    `handed_in` is an ISO time, or empty if it is unknown; then `late_days` is None and there is no penalty. `lines`
    explain, for students too, how `measured` became `final`. `written` are the written questions, whose points are
    part of `final` alone.
    """

    measured: float
    final: float
    overrides: tuple[Override, ...] = ()
    handed_in: str = ""
    late_days: int | None = None
    late_percent: float = 0.0
    lines: tuple[str, ...] = ()
    written: tuple[WrittenScore, ...] = ()

    def most_points(self, grade: Grade) -> float:
        """The points that the student of a grade can have, with those of the written questions."""
        written = {each.question.id: each.question.points for each in self.written}
        return sum(({each.id: each.points for each in grade.questions} | written).values())

    @property
    def waiting(self) -> float:
        """The points of written answers that wait for a person."""
        return sum(each.question.points for each in self.written if each.is_open)


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A place where one submission at a time is graded: the CPU, or a device.

    `device` is its name for `CUDA_VISIBLE_DEVICES`, `card` the id of the card that it is or is a slice of, `cdi` its
    name for a container engine. `memory_mb` is the part of its memory, in MiB, that each worker may use; 0 is no limit.
    """

    device: str = ""
    card: str = ""
    cdi: str = ""
    memory_mb: int = 0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a submission: seconds of wall clock, seconds of CPU time, mebibytes, and counts.

    `load_s` limits a worker's start, `cell_s` one cell, `check_s` one check unless the check sets its own limit, and
    `submission_s` the whole submission. Those with `cpu` limit the CPU time of all its processes together. `memory_mb`
    limits one worker's memory, `disk_mb` each of its private folders, `output_kb` the printed text that is kept.
    """

    load_s: float = 60.0
    cell_s: float = 60.0
    check_s: float = 20.0
    submission_s: float = 900.0
    cell_cpu_s: float = 120.0
    check_cpu_s: float = 40.0
    submission_cpu_s: float = 1800.0
    memory_mb: int = 4096
    disk_mb: int = 512
    processes: int = 128
    output_kb: int = 64


class CheckLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit of one check in a job: seconds of wall clock, and seconds of CPU time of all its processes together."""

    seconds: float
    cpu_s: float


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a submission's code said when it was first judged: the events of its cells, its results of public checks.

    If the submission is judged again, its student reads these words and no others: by then its code has seen hidden
    inputs.
    """

    events: tuple[CellEvent, ...] = ()
    results: tuple[CheckResult, ...] = ()

    @classmethod
    def of(cls, events: tuple[CellEvent, ...], results: Iterable[CheckResult]) -> Said:
        """What these events and the public ones among these results say."""
        return cls(events=events, results=tuple(result for result in results if result.check.public))


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One of `count` jobs that judge the same submission at the same time, each some of its questions.

    `submission` is in these jobs and in no others.
    """

    submission: str
    count: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One submission to judge: its cells, the reference's, and how.

    `only` lists the ids of the checks to run, or None for all; `trusted` marks the reference itself. A `liar` is not
    run: for each check the reference runs with another seed, and its replies are played back to the check. A `puppet`
    gets the same seed, so that it says what is right, but it has no files and so no graphs.

    `check_limits` replaces the limits of single checks, by check id. `reference_bytes` says how many bytes the
    reference sends for each check: a submission may send a multiple. With `stop_at_failure` the checks run in the order
    of `only`, and the first one that is not passed is the last. `said` is given if the submission is judged again,
    `part` if other jobs judge it at the same time: then no hidden check begins in any of them while one of them still
    says what the student may read.
    """

    cells: tuple[Cell, ...]
    reference: tuple[Cell, ...]
    seed: str
    limits: Limits
    only: tuple[str, ...] | None = None
    trusted: bool = False
    liar: bool = False
    puppet: bool = False
    check_limits: dict[str, CheckLimit] = {}
    reference_bytes: dict[str, int] = {}
    stop_at_failure: bool = False
    said: Said | None = None
    part: Part | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The result of one judged job; `seconds` is its duration.

    `sent_bytes` is how much the submission sent for each check, by check id.
    """

    results: tuple[CheckResult, ...]
    events: tuple[CellEvent, ...] = ()
    layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    review: tuple[str, ...] = ()
    seconds: float = 0.0
    sent_bytes: dict[str, int] = {}


class Lost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A job that the grader's machinery lost; this is not the submission's fault.

    `said` is what its code had said by then; None if it had not met a hidden check yet. `said_before` is then what it
    had said: that counts if another part of its submission has met one.
    """

    reason: str
    said: Said | None = None
    said_before: Said | None = None


class CollectedChecks(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The checks of an assignment that can be run, and the reason for each file or check that cannot, by path."""

    checks: tuple[Check, ...]
    broken: dict[str, str] = {}


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's environment, as far as it can change results.

    `isolation` is as configured, `identity` adds the container's image and whether there is a GPU, `versions` the
    software by name; `message` is a sentence about the device that TensorFlow uses.
    """

    isolation: str
    identity: str
    versions: dict[str, str] = {}
    message: str = ""


class AssignmentBundle(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an engine needs to judge an assignment's jobs, wherever it runs.

    `files` holds each check file under its path in the course, in the order in which they are collected; `keras` is
    the generation, `limits` those that workers are started with. `student_files` lie beside every submission, by their
    paths from the notebook. `packages` are the requirements that the assignment adds. It is as secret as the checks in
    it.
    """

    assignment: str
    keras: str
    limits: Limits
    files: dict[str, bytes]
    student_files: dict[str, bytes] = {}
    packages: tuple[str, ...] = ()
