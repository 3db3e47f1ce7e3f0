"""What of a course stands beside results on pages for staff: the source of the checks, and the starters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gradetape.records import Check, Grade, Question, Verdict

_LEFT_OPEN = "NotImplementedError"


class CheckSource(msgspec.Struct, frozen=True):
    """The source of a check, with the path of its file in the course and the number of its first line."""

    path: str
    line: int
    text: str


class Material(msgspec.Struct, frozen=True):
    """The sources of checks by check id, and the texts of each starter's cells by question id. For staff only."""

    checks: Mapping[str, CheckSource] = MappingProxyType({})
    starters: Mapping[str, frozenset[str]] = MappingProxyType({})

    def source_of(self, check: Check) -> CheckSource | None:
        """The source of a check; the cases of a parametrized one share theirs."""
        return self.checks.get(check.id.partition("[")[0])

    def is_starter(self, grade: Grade, question: Question) -> bool:
        """Whether the code that answers a question is the starter's, as far as both are known, and has no points.

        Only what the student knows decides it.
        """
        own = [cell.source.strip() for cell in grade.cells if cell.question == question.id]
        starter = self.starters.get(question.id, frozenset())
        known = bool(grade.cells) and bool(starter)
        return known and not grade.earned(question.id) and all(text in starter for text in own)

    def starters_of(self, grade: Grade) -> frozenset[str]:
        """The ids of the questions whose answer is the starter."""
        return frozenset(question.id for question in grade.questions if self.is_starter(grade, question))

    def is_untouched(self, grade: Grade, question: Question) -> bool:
        """The same for staff: where the code or the starter is unknown, the messages of the checks decide.

        Then every check that did not pass has to say that nothing is implemented.
        """
        if grade.cells and question.id in self.starters:
            return self.is_starter(grade, question)
        failing = [result for result in grade.of(question.id) if result.verdict is not Verdict.PASSED]
        left_open = all(_LEFT_OPEN in (result.staff_message or result.message) for result in failing)
        return bool(failing) and left_open and not grade.earned(question.id)


NO_MATERIAL = Material()
