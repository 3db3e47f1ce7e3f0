"""What a batch will run and why, before it starts: the parts of the digests that differ from those of the last time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.gradebook import Gradebook, Measured, QuestionResult
from gradetape.grading import proven_checks
from gradetape.grading.builder import GradeBuilder
from gradetape.grading.question_keys import QuestionKey
from gradetape.records import Status, Submission
from gradetape.text import counted, printable

NEW, CHANGED, AGAIN, OLDER, UNFINISHED, NOT_YET = (
    "new submission", "changed submission", "--regrade", "graded by an earlier version", "not final last time",
    "not graded yet",
)  # fmt: skip
_WHOLE = (NEW, CHANGED)
_WHY = {
    "checks": "its checks changed",
    "reference": "the reference solution changed",
    "budget": "the reference sends more or less data",
    "files": "the files for students changed",
    "seed": "the course's seed changed",
    "limits": "the limits changed",
    "keras": "the Keras generation changed",
    "sandbox": "the isolation or the device changed",
    "versions": "the installed software changed",
    "grader": "gradetape's own code changed",
}


class QuestionWork(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that run for some students, for one reason; `question` is None for all questions."""

    question: str | None
    reason: str
    students: tuple[str, ...]

    @property
    def line(self) -> str:
        """The work in one line, such as `q06_metric: its checks changed since 12 Oct 2026: 297 submissions`."""
        count = counted(len(self.students), "submission")
        if self.reason in _WHOLE:
            return f"{counted(len(self.students), self.reason)}: {self.question or 'all questions'}"
        return f"{self.question or 'all questions'}: {self.reason}: {count}"


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """The work of a batch: what runs, the grades that are written anew without a run, and those that stay.

    `submissions` counts those that run, `jobs` how often one of them runs: the same cells run once. `runs` counts the
    questions of all these, which may run side by side. `unproven` are the
    questions that run because their checks changed, and that `verify` has not proven since. `seconds` are how long the
    checks that run for a student took the last time; infinite for what is new.
    """

    work: tuple[QuestionWork, ...] = ()
    jobs: int = 0
    runs: int = 0
    submissions: int = 0
    composed: int = 0
    known: int = 0
    unproven: tuple[str, ...] = ()
    seconds: Mapping[str, float] = {}

    def longest_first(self, submissions: Iterable[Submission]) -> list[Submission]:
        """The submissions in the order in which workers are busy to the end; those for which nothing runs come last."""
        return sorted(submissions, key=lambda each: self.seconds.get(each.student, -1.0), reverse=True)

    @property
    def lines(self) -> tuple[str, ...]:
        """The work in lines for people."""
        return (*(each.line for each in self.work), *self._quiet(), *map(_unproven, self.unproven))

    def as_json(self) -> dict[str, object]:
        """The output of `grade --dry-run --json`, as plain data."""
        runs = [{"question": each.question, "reason": each.reason, "students": [*each.students]} for each in self.work]
        return {
            "runs": runs,
            "submissions": self.submissions,
            "composed": self.composed,
            "known": self.known,
            "unproven": list(self.unproven),
        }

    def _quiet(self) -> Iterator[str]:
        if self.composed:
            yield f"nothing runs for {counted(self.composed, 'submission')}: their grades are composed of known results"
        if not (self.work or self.composed):
            yield f"nothing to run: {counted(self.known, 'submission')} graded before"


def _unproven(question_id: str) -> str:
    return (
        f"{question_id}: its checks changed, and gradetape verify has not proven them since. "
        f"Run gradetape verify --question {question_id} first."
    )


class Unjudged(msgspec.Struct, frozen=True, kw_only=True):
    """A submission's questions that have to run, and what is known of the student's last grade.

    `last` are the points that count now, if any, and `before` the question results that they are composed of.
    """

    student: str
    keys: tuple[QuestionKey, ...]
    last: Measured | None
    before: Mapping[str, QuestionResult]


def workload_of(
    gradable: GradableAssignment, book: Gradebook, builder: GradeBuilder, fresh: Sequence[Submission], *,
    known: int = 0, since: int | None = None,
) -> Workload:  # fmt: skip
    """The work for submissions without a valid grade, beside `known` ones that have theirs.

    With `since`, an id of a question result, only newer results are valid: that is what `--regrade` asks for.
    """
    missing = _missing(gradable.assignment.name, book, builder, fresh, since or 0)
    work = work_of(missing, builder.question_ids, again=since is not None)
    edited = [each.question for each in work if each.question and each.reason.startswith(_WHY["checks"])]
    unproven = [each for each in edited if not proven_checks.are_proven(gradable, each, builder.keys.codes[each])]
    return Workload(
        work=work, jobs=len({frozenset(key.digest for key in each.keys) for each in missing}), submissions=len(missing),
        runs=len({key.digest for each in missing for key in each.keys}), composed=len(fresh) - len(missing),
        known=known, unproven=tuple(dict.fromkeys(unproven)),
        seconds={each.student: _seconds(each) for each in missing},
    )  # fmt: skip


def _seconds(missing: Unjudged) -> float:
    before = [missing.before.get(key.question) for key in missing.keys]
    return sum(sum(each.seconds for each in known.results) if known else math.inf for known in before)


def _missing(
    name: str, book: Gradebook, builder: GradeBuilder, fresh: Sequence[Submission], since: int
) -> list[Unjudged]:
    keys = [[key for key in builder.question_keys(each) if key.question in builder.question_ids] for each in fresh]
    have = book.has_results((key.digest for each in keys for key in each), since)
    left = [tuple(key for key in each if key.digest not in have) for each in keys]
    if not any(left):
        return []
    last, before = book.measured(name), book.composition(name)
    return [
        Unjudged(
            student=each.student, keys=found, last=last.get(printable(each.student)),
            before=before.get(printable(each.student), {}),
        )
        for each, found in zip(fresh, left, strict=True)
        if found
    ]  # fmt: skip


def work_of(missing: Iterable[Unjudged], question_ids: Sequence[str], *, again: bool) -> tuple[QuestionWork, ...]:
    """What runs, by question and reason: the same reason for all questions of the same students is one entry."""
    found: dict[str, dict[str, list[str]]] = {}
    for each in missing:
        for key in each.keys:
            reason = AGAIN if again else _reason(each, key)
            found.setdefault(reason, {}).setdefault(key.question, []).append(each.student)
    return tuple(work for reason, by_question in found.items() for work in _joined(reason, by_question, question_ids))


def _joined(reason: str, by_question: dict[str, list[str]], question_ids: Sequence[str]) -> Iterator[QuestionWork]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for question_id in question_ids:
        if question_id in by_question:
            groups.setdefault(tuple(by_question[question_id]), []).append(question_id)
    for students, questions in groups.items():
        if len(questions) == len(question_ids) > 1:
            yield QuestionWork(question=None, reason=reason, students=students)
        else:
            yield from (QuestionWork(question=each, reason=reason, students=students) for each in questions)


def _reason(missing: Unjudged, key: QuestionKey) -> str:
    before = missing.before.get(key.question)
    if before is None:
        return _without_result(missing, key)
    other = [name for name, part in key.parts.items() if before.parts.get(name) != part]
    if "cells" in other:
        return CHANGED
    words = " and ".join(_WHY[name] for name in other if name in _WHY)
    return f"{words} since {_day(before.created)}" if words else UNFINISHED


def _without_result(missing: Unjudged, key: QuestionKey) -> str:
    last = missing.last
    if last is None or last.status is Status.UNREADABLE:
        return NEW
    if last.status is Status.NEEDS_ATTENTION and key.question in last.points:
        return UNFINISHED
    return OLDER if key.question in last.points else NOT_YET


def _day(created: str) -> str:
    at = datetime.fromisoformat(created)
    return f"{at.day} {at:%b}" + ("" if at.year == datetime.now(UTC).year else f" {at.year}")
