"""The points of an assignment's checks, and which checks can be trusted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import msgspec

from gradetape.course.check_files import check_file
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import CourseError
from gradetape.grading.side_by_side import ReferenceTimes
from gradetape.records import (
    Check,
    CheckResult,
    CollectedChecks,
    Outcome,
    Verdict,
)
from gradetape.text import as_points


@dataclass(frozen=True)
class Rubric:
    """The points of an assignment's checks, and which checks can be trusted.

    `faults` holds, by check id, why a check cannot be trusted: its file cannot be read, or the reference does not pass
    it. `sent_bytes` holds how many bytes the reference sends for each check, `times` how long it takes.
    """

    gradable: GradableAssignment
    checks: tuple[Check, ...]
    faults: Mapping[str, str]
    sent_bytes: Mapping[str, int] = field(default_factory=dict)
    times: ReferenceTimes = field(default_factory=ReferenceTimes)

    @classmethod
    def of(
        cls, gradable: GradableAssignment, collected: CollectedChecks, only: Collection[str] | None = None
    ) -> Rubric:
        """The rubric of the collected checks; raises CourseError if their points do not add up to the question's."""
        question_ids = set(gradable.assignment.question_ids if only is None else only)
        unread = [(check, text) for check, text in _unread(gradable, collected) if check.question in question_ids]
        read = [check for check in collected.checks if check.question in question_ids]
        checks = (*read, *(check for check, _ in unread))
        _refuse_other_sums(gradable, checks)
        order = {question_id: number for number, question_id in enumerate(gradable.assignment.question_ids)}
        checks = tuple(sorted(checks, key=lambda check: (order[check.question], not check.public)))
        return cls(gradable, checks, {check.id: text for check, text in unread})

    def proven(self, reference: Outcome) -> Rubric:
        """The same rubric, in which a check that the reference does not pass is a fault for everyone."""
        failed = {
            result.check.id: result.staff_message
            for result in reference.results
            if result.verdict not in (Verdict.PASSED, Verdict.SKIPPED)
        }
        sent_bytes = {**self.sent_bytes, **reference.sent_bytes}
        return replace(self, faults={**self.faults, **failed}, sent_bytes=sent_bytes)

    def sound_in(self, question_ids: Collection[str]) -> tuple[str, ...]:
        """The ids of the checks of some questions that are worth running."""
        return tuple(name for name, check in self._named if check.question in question_ids and name not in self.faults)

    @cached_property
    def _named(self) -> tuple[tuple[str, Check], ...]:
        """The checks with their ids."""
        return tuple((check.id, check) for check in self.checks)

    @property
    def question_ids(self) -> frozenset[str]:
        """The questions that have checks here."""
        return frozenset(check.question for check in self.checks)

    @property
    def sound(self) -> tuple[str, ...]:
        """The ids of the checks that are worth running."""
        return tuple(check.id for check in self.checks if check.id not in self.faults)

    def complete(
        self, results: Sequence[CheckResult], question_ids: Collection[str] | None = None
    ) -> tuple[CheckResult, ...]:
        """Results of all questions, or of some, in the rubric's order, with its points, titles and hints.

        A check without a result, or one that cannot be trusted, becomes a fault.
        """
        known = {result.check.id: result for result in results}
        return tuple(
            _renewed(known[name], check) if name in known and name not in self.faults else self._fault(check)
            for name, check in self._named
            if question_ids is None or check.question in question_ids
        )

    def renewed(self, results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        """Results of checks of this rubric with its points, titles and hints."""
        checks = {check.id: check for check in self.checks}
        return tuple(_renewed(result, checks[result.check.id]) for result in results)

    def _fault(self, check: Check) -> CheckResult:
        reason = self.faults.get(check.id, "the judge gave no result for this check")
        message = "The grader could not run this check. It is not your fault; the course staff will look at it."
        return CheckResult(
            check=check, verdict=Verdict.FAULT, points=0.0, seconds=0.0, message=message, staff_message=reason
        )


def _renewed(result: CheckResult, check: Check) -> CheckResult:
    """A result with what the check's file says now: a check gives all of its points or none."""
    points = check.points if result.verdict in (Verdict.PASSED, Verdict.SKIPPED) else 0.0
    if result.check is check and result.points == points:
        return result
    return msgspec.structs.replace(result, check=check, points=points)


def _unread(gradable: GradableAssignment, collected: CollectedChecks) -> list[tuple[Check, str]]:
    """For each unreadable check file, a check that represents the missing points."""
    found: list[tuple[Check, str]] = []
    for path, text in collected.broken.items():
        file = check_file(gradable.course.root / path)
        if file is None:
            continue
        question_id, public = file.question, file.public
        have = sum(check.points for check in collected.checks if check.question == question_id)
        total = next(question.points for question in gradable.assignment.questions if question.id == question_id)
        missing = max(total - have - sum(check.points for check, _ in found if check.question == question_id), 0.0)
        title = "The checks of this question could not be read"
        check = Check(question=question_id, name=Path(path).name, public=public, title=title, hint="", points=missing)
        found.append((check, text))
    return found


def _refuse_other_sums(gradable: GradableAssignment, checks: Sequence[Check]) -> None:
    wrong = []
    for question in gradable.assignment.questions:
        found = [check for check in checks if check.question == question.id]
        total = sum(check.points for check in found)
        if found and abs(total - question.points) > 1e-9:
            wrong.append(
                f"{question.id}: its checks give {as_points(total)}, assignment.yml says "
                f"{question.points:g}{_without_points(found)}"
            )
    if wrong:
        raise CourseError("The points do not add up. Change @points or assignment.yml:\n" + "\n".join(wrong))


def _without_points(checks: Sequence[Check]) -> str:
    names = [check.short_id for check in checks if check.points == 0]
    return f". Without @points: {', '.join(names)}" if names else ""
