"""One submission on several idle slots: its questions are judged side by side, in jobs that each run its cells.

What a question gets does not depend on the others, so the parts together are what one job would give. Their number is
decided by how long the reference takes: another part runs the cells once more, so each must have checks that take as
long as the cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gradetape.gradebook import QuestionResult

Checks = tuple[str, ...]


class ReferenceTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds the reference takes for each question, and outside its checks: mostly for its cells."""

    cells: float = 0.0
    questions: Mapping[str, float] = {}

    @classmethod
    def of(cls, results: Iterable[QuestionResult]) -> ReferenceTimes:
        """The times of the reference's results; of a job whose other results are gone, its cells' are not known."""
        questions, left = dict[str, float](), dict[int, float]()
        for each in results:
            questions[each.question] = sum(result.seconds for result in each.results)
            left[id(each.run)] = left.get(id(each.run), each.run.seconds) - questions[each.question]
        return cls(cells=max(min(left.values(), default=0.0), 0.0), questions=questions)

    def of_checks(self, checks: Iterable[str]) -> float:
        """The seconds of the questions of these checks."""
        return sum(self.questions.get(each, 0.0) for each in dict.fromkeys(map(question_of, checks)))


def question_of(check: str) -> str:
    """The question of a check's id."""
    return check.partition("::")[0]


def parts_of(checks: Checks, times: ReferenceTimes, most: int) -> tuple[Checks, ...]:
    """These checks in at most so many parts, by question, so that the longest part is as short as it can be.

    The part with the first question comes first. Without times there is one part.
    """
    whole = times.of_checks(checks) if most > 1 else 0.0
    worth_it = int(whole / times.cells) if times.cells else most
    questions = len(set(map(question_of, checks)))  # thousands of places may be idle
    found = [_packed(checks, times, count) for count in range(2, min(most, worth_it, questions) + 1)] if whole else []
    return min([(checks,), *found], key=lambda parts: (round(max(map(times.of_checks, parts)), 3), len(parts)))


def _packed(checks: Checks, times: ReferenceTimes, count: int) -> tuple[Checks, ...]:
    """The questions in `count` parts, the longest first, each to the part that has least."""
    of_question: dict[str, list[str]] = {}
    for check in checks:
        of_question.setdefault(question_of(check), []).append(check)
    parts: list[list[str]] = [[] for _ in range(count)]
    for question in sorted(of_question, key=lambda each: -times.questions.get(each, 0.0)):
        min(parts, key=lambda part: (times.of_checks(part), len(part))).extend(of_question[question])
    ordered = [tuple(check for check in checks if check in part) for part in parts if part]
    return tuple(sorted(ordered, key=lambda part: checks.index(part[0])))
