"""What a batch says of its checks: how hard they are, and whether they tell strong students from weak ones.

A student's *rest score* is what they earned on everything else. The discrimination of an item is the correlation of its
score with the rest score over the students: S. Henrysson, "Correction of item-total correlations in item analysis",
Psychometrika 28(2), 211-218 (1963). For a check, which is passed or not, that is the point-biserial correlation; for a
question it is Pearson's. Near zero, the item measures something else than the rest; below, strong students fail it more
often than weak ones do, and as a rule it is the check that is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradetape.records import Check, CheckResult, Grade, Question, Status, Verdict
from gradetape.report.tables import earned

# With fewer students a correlation says more of them than of the check.
ENOUGH = 10
_UNDECIDED = (Verdict.FAULT, Verdict.SKIPPED)


@dataclass(frozen=True)
class CheckItem:
    """One check over all students; `judged` are those for whom it was decided. Times are in seconds."""

    check: Check
    verdicts: Mapping[Verdict, int]
    judged: int
    discrimination: float | None
    median_s: float
    longest_s: float
    slowest: str

    @property
    def passed(self) -> int:
        """How many passed."""
        return self.verdicts.get(Verdict.PASSED, 0)


@dataclass(frozen=True)
class QuestionItem:
    """One question over the students whose grade is final; `full` have all its points."""

    question: Question
    students: int
    mean: float
    full: int
    discrimination: float | None


@dataclass(frozen=True)
class Distribution:
    """How the points are spread: counts of the students between neighbouring `edges`, in points."""

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    mean: float
    deviation: float
    quartiles: tuple[float, float, float]

    @property
    def students(self) -> int:
        """How many students these are."""
        return sum(self.counts)


def check_items(grades: Sequence[Grade]) -> list[CheckItem]:
    """Every check that a grade has a result of, by its id; in the order of the questions of the newest grades."""
    found: dict[str, list[tuple[Grade, CheckResult]]] = {}
    for grade in grades:
        for result in grade.results:
            found.setdefault(result.check.id, []).append((grade, result))
    order = {question_id: place for place, question_id in enumerate(_question_ids(grades))}
    totals = _totals(grades)
    return [_check_item(pairs, totals) for pairs in sorted(found.values(), key=lambda pairs: order[_question(pairs)])]


def question_items(grades: Sequence[Grade], questions: Iterable[Question]) -> list[QuestionItem]:
    """Every question, over the grades that are final and have it."""
    final = _final(grades)
    totals = _totals(final)
    items = []
    for question in questions:
        mine = [grade for grade in final if question in grade.questions]
        points = [earned(grade, question.id) for grade in mine]
        rest = [totals[id(grade)] - own for grade, own in zip(mine, points, strict=True)]
        full = sum(own >= question.points for own in points)
        mean = float(np.mean(points)) if points else 0.0
        items.append(QuestionItem(question, len(mine), mean, full, correlation(points, rest)))
    return items


def distribution(grades: Sequence[Grade], bins: int = 20) -> Distribution | None:
    """The points of the grades that are final, in `bins` classes of the same width; None where there are none."""
    final = _final(grades)
    points = np.array([grade.points for grade in final])
    most = max((grade.max_points for grade in final), default=0.0)
    if most <= 0:
        return None
    counts, edges = np.histogram(points, bins=bins, range=(0.0, most))
    low, middle, high = (float(value) for value in np.percentile(points, [25, 50, 75]))
    return Distribution(
        tuple(map(int, counts)), tuple(map(float, edges)), float(points.mean()), float(points.std()),
        (low, middle, high),
    )  # fmt: skip


def correlation(scores: Sequence[float], rest: Sequence[float]) -> float | None:
    """Pearson's correlation; None for fewer than ten students, or where one side has the same score for everyone."""
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
    """Each grade's points by its id: a grade adds them up anew whenever it is asked."""
    return {id(grade): grade.points for grade in grades}


def _question(pairs: Sequence[tuple[Grade, CheckResult]]) -> str:
    return pairs[0][1].check.question


def _final(grades: Sequence[Grade]) -> list[Grade]:
    return [grade for grade in grades if grade.status is Status.GRADED]


def _question_ids(grades: Sequence[Grade]) -> list[str]:
    """Every stem, those of the assignment's questions first."""
    asked = [question.id for grade in grades for question in grade.questions]
    return list(dict.fromkeys([*asked, *(result.check.question for grade in grades for result in grade.results)]))
