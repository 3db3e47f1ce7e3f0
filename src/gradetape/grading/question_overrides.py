"""What overrides of single checks make of their question.

An override of a whole question decides its points, whatever is set for its checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gradetape.records import CheckResult, Grade, Override, Unreadable


def of_questions(overrides: Iterable[Override], record: Grade | Unreadable) -> list[Override]:
    """One student's overrides in force, oldest first, as overrides of questions.

    Those of a question's checks become one: what was measured, with the points of these checks replaced. A check that
    the grade does not have counts for nothing.
    """
    newest = {override.question: override for override in overrides}
    whole = [override for target, override in newest.items() if "::" not in target]
    decided = {override.question for override in whole}
    if isinstance(record, Unreadable):
        return whole
    found: dict[str, list[tuple[CheckResult, Override]]] = {}
    for result in record.results:
        if result.check.id in newest and result.check.question not in decided:
            found.setdefault(result.check.question, []).append((result, newest[result.check.id]))
    return [*whole, *(_joined(record, question, pairs) for question, pairs in found.items())]


def _joined(grade: Grade, question: str, pairs: Sequence[tuple[CheckResult, Override]]) -> Override:
    """One override of a question for those of its checks; a check's name is for staff, so it is in `checks` alone."""
    newest = max((override for _, override in pairs), key=lambda override: override.at)
    points = grade.earned(question) + sum(override.points - result.points for result, override in pairs)
    reasons = dict.fromkeys(override.reason for _, override in pairs)
    return msgspec.structs.replace(
        newest, question=question, points=round(points, 6), reason="; ".join(reasons),
        checks=tuple(override for _, override in pairs),
    )  # fmt: skip
