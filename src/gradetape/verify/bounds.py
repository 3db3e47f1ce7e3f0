"""The points that solutions without an answer may get in each question, and what an author waives."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gradetape.text import as_points
from gradetape.verify.evidence import Evidence
from gradetape.verify.trials import HELD, Trial

SHARES = {"raiser": 0.0, "argument": 0.10, "zeros": 0.10, "liar": 0.25, "puppet": 0.25}
_SHOWN = frozenset({"puppet"})  # more than its share is shown, but no problem: of a submission, staff can review it
_ADVICE = {
    "argument": "Let these checks compute a value with what was returned",
    "zeros": "Let these checks compare with numbers that are not zero, or waive them in {waivers} with a reason",
    "liar": "Draw what matters in these checks from rng",
}
_ROUNDING = 1e-9


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """The points of the starter or of an adversary in one question, and the most that it may get.

    `passed` holds the ids of the checks that it passed and that are not waived; `points` are theirs.
    """

    question: str
    name: str
    points: float
    most: float
    passed: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether it gets no more than it may."""
        return self.points <= self.most + _ROUNDING


def bounds(evidence: Evidence) -> Iterator[Bound]:
    """The bounds of every question whose check files can be read; together they are those of the whole assignment."""
    unread = evidence.unread
    for trial in (*evidence.of("starter"), *evidence.of("adversary")):
        for question in dict.fromkeys(check.question for check in evidence.checks if check.question not in unread):
            yield _bound(evidence, trial, question, _waived(evidence, trial, question))


def bound_problems(evidence: Evidence) -> Iterator[str]:
    """What gets too many points, in which question and by which checks; shares of a part of a question say nothing."""
    for waiver in evidence.waivers:
        ids = {check.id for check in evidence.checks if check.question == waiver.question}
        for check in waiver.ids:
            if check not in ids and not evidence.partial and waiver.question not in evidence.unread:
                yield f"{waiver.place}: {check} is not a check. Correct the name, or remove the entry"
    for bound in bounds(evidence):
        if not bound.ok and bound.name not in _SHOWN and not (evidence.partial and SHARES.get(bound.name)):
            advice = _ADVICE.get(bound.name, "").format(waivers=f"solutions/{evidence.assignment}/waivers.yml")
            yield (
                f"{bound.question}: {bound.name} gets {as_points(bound.points)} (at most {bound.most:g}) "
                f"by {', '.join(bound.passed)}{'. ' if advice else ''}{advice}"
            )


def waiver_notes(evidence: Evidence) -> Iterator[str]:
    """Each waiver with its reason, and those that are not needed."""
    for waiver in evidence.waivers:
        for trial in (each for each in evidence.of("adversary") if each.name == waiver.adversary):
            unneeded = [check for check in waiver.ids if check in trial.failed]
            if unneeded and not evidence.partial:
                yield f"{waiver.place}: {trial.name} does not pass {', '.join(unneeded)}, so remove what waives it"
            elif _bound(evidence, trial, waiver.question, frozenset()).ok and not evidence.partial:
                yield f"{waiver.place}: {trial.name} stays within its bound without this waiver: remove it"
            else:
                yield f"{trial.name} may pass {', '.join(waiver.ids)}: {waiver.reason}"


def _waived(evidence: Evidence, trial: Trial, question: str) -> frozenset[str]:
    own = [waiver for waiver in evidence.waivers if (waiver.adversary, waiver.question) == (trial.name, question)]
    return frozenset(check for waiver in own for check in waiver.ids)


def _bound(evidence: Evidence, trial: Trial, question: str, waived: frozenset[str]) -> Bound:
    results = [
        result for result in trial.results if result.check.question == question and result.check.id not in waived
    ]
    total = sum(check.points for check in evidence.checks if check.question == question)
    return Bound(
        question=question, name=trial.name, points=sum(result.points for result in results),
        most=SHARES.get(trial.name, 0.0) * total,
        passed=tuple(result.check.id for result in results if result.verdict in HELD),
    )  # fmt: skip
