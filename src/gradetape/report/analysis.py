"""Item analysis: how hard each check is, and whether it separates strong students from weak ones.

The discrimination of an item is the correlation, over the students, of its score with the *rest score*, the points on
all other items: S. Henrysson, "Correction of item-total correlations in item analysis", Psychometrika 28(2), 211-218
(1963). For a check, which is passed or not, this is the point-biserial correlation; for a question it is Pearson's.
Near zero, the item measures something different from the rest. Below zero, strong students fail it more often than weak
ones, which usually means that the check is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gradetape.records import Check, CheckResult, FinalScore, Grade, Question, Status, Verdict
from gradetape.report.words import most_points, points_of

# With fewer students a correlation is mostly noise.
ENOUGH = 10
_NO_SCORES: Mapping[str, FinalScore] = MappingProxyType({})
_UNDECIDED = (Verdict.FAULT, Verdict.SKIPPED)


@dataclass(frozen=True)
class CheckItem:
    """One check over all students; `judged` counts those for whom it has a verdict. Times are in seconds."""

    check: Check
    verdicts: Mapping[Verdict, int]
    judged: int
    discrimination: float | None
    median_s: float
    longest_s: float
    slowest: str

    @property
    def passed(self) -> int:
        """The number of students who passed."""
        return self.verdicts.get(Verdict.PASSED, 0)


@dataclass(frozen=True)
class QuestionItem:
    """One question over the students with a final grade; `full` counts those with all its points."""

    question: Question
    students: int
    mean: float
    full: int
    discrimination: float | None


@dataclass(frozen=True)
class Distribution:
    """A histogram of the points: counts of students between neighbouring `edges`, in points."""

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    mean: float
    deviation: float
    quartiles: tuple[float, float, float]

    @property
    def students(self) -> int:
        """The number of students."""
        return sum(self.counts)


@dataclass(frozen=True)
class TimeSpent:
    """Where the time of the workers went, in seconds: all of it, and the checks of each question, longest first."""

    total: float
    by_question: Mapping[str, float]

    @property
    def elsewhere(self) -> float:
        """What no check took that is shown: new workers, cells, and checks whose results were replaced."""
        return max(self.total - sum(self.by_question.values()), 0.0)


def time_spent(grades: Iterable[Grade]) -> TimeSpent:
    """The time that these grades took, wherever their submissions were judged."""
    total, checks = 0.0, dict[str, float]()
    for grade in grades:
        total += grade.seconds
        for result in grade.results:
            checks[result.check.question] = checks.get(result.check.question, 0.0) + result.seconds
    return TimeSpent(total, dict(sorted(checks.items(), key=lambda item: -item[1])))


def check_items(grades: Sequence[Grade], question_id: str | None = None) -> list[CheckItem]:
    """Every check with a result, in the order of the questions; with `question_id`, those of that question."""
    found: dict[str, list[tuple[Grade, CheckResult]]] = {}
    for grade in grades:
        for result in grade.results if question_id is None else grade.of(question_id):
            found.setdefault(result.check.id, []).append((grade, result))
    order = {question_id: place for place, question_id in enumerate(_question_ids(grades))}
    totals = _totals(grades)
    return [_check_item(pairs, totals) for pairs in sorted(found.values(), key=lambda pairs: order[_question(pairs)])]


def question_items(
    grades: Sequence[Grade], questions: Iterable[Question], final_scores: Mapping[str, FinalScore] = _NO_SCORES
) -> list[QuestionItem]:
    """Every question, over the final grades that have it, with the overrides in `final_scores`, by student.

    The discrimination is of the points that the checks gave.
    """
    final = _final(grades)
    totals = _totals(final)
    items = []
    for question in questions:
        having = [grade for grade in final if question in grade.questions]
        earned = [grade.earned(question.id) for grade in having]
        rest = [totals[id(grade)] - own for grade, own in zip(having, earned, strict=True)]
        points = [
            points_of(grade, final_scores.get(grade.student), question.id, own)
            for grade, own in zip(having, earned, strict=True)
        ]
        full = sum(own >= question.points for own in points)
        mean = float(np.mean(points)) if points else 0.0
        items.append(QuestionItem(question, len(having), mean, full, correlation(earned, rest)))
    return items


def distribution(
    grades: Sequence[Grade], bins: int = 20, final_scores: Mapping[str, FinalScore] = _NO_SCORES
) -> Distribution | None:
    """A histogram of the final grades in `bins` classes of equal width; None if there is no final grade.

    It is of the final points of the students in `final_scores`, else of those that the checks gave.
    """
    final = _final(grades)
    points = np.array(
        [final_scores[grade.student].final if grade.student in final_scores else grade.points for grade in final]
    )
    most = max((most_points(grade, final_scores.get(grade.student)) for grade in final), default=0.0)
    if most <= 0:
        return None
    counts, edges = np.histogram(np.clip(points, 0.0, most), bins=bins, range=(0.0, most))
    low, middle, high = (float(value) for value in np.percentile(points, [25, 50, 75]))
    return Distribution(
        tuple(map(int, counts)), tuple(map(float, edges)), float(points.mean()), float(points.std()),
        (low, middle, high),
    )  # fmt: skip


def correlation(scores: Sequence[float], rest: Sequence[float]) -> float | None:
    """Pearson's correlation; None for fewer than ten students, or if one side is constant."""
    if len(scores) < ENOUGH or np.ptp(scores) < 1e-9 or np.ptp(rest) < 1e-9:
        return None
    return float(np.corrcoef(scores, rest)[0, 1])


def _check_item(pairs: Sequence[tuple[Grade, CheckResult]], totals: Mapping[int, float]) -> CheckItem:
    judged = [(grade, result) for grade, result in pairs if result.verdict not in _UNDECIDED]
    scores = [float(result.verdict is Verdict.PASSED) for _, result in judged]
    rest = [totals[id(grade)] - result.points for grade, result in judged]
    slowest, longest = max(pairs, key=lambda pair: pair[1].seconds)
    return CheckItem(
        check=pairs[-1][1].check,
        verdicts=Counter(result.verdict for _, result in pairs),
        judged=len(judged),
        discrimination=correlation(scores, rest),
        median_s=float(np.median([result.seconds for _, result in pairs])),
        longest_s=longest.seconds,
        slowest=slowest.student,
    )


def _totals(grades: Iterable[Grade]) -> dict[int, float]:
    """Each grade's points by `id(grade)`: the property sums them again at each access."""
    return {id(grade): grade.points for grade in grades}


def _question(pairs: Sequence[tuple[Grade, CheckResult]]) -> str:
    return pairs[0][1].check.question


def _final(grades: Sequence[Grade]) -> list[Grade]:
    return [grade for grade in grades if grade.status is Status.GRADED]


def _question_ids(grades: Sequence[Grade]) -> list[str]:
    """Every question id, those of the assignment's questions first."""
    asked = [question.id for grade in grades for question in grade.questions]
    return list(dict.fromkeys([*asked, *(result.check.question for grade in grades for result in grade.results)]))
