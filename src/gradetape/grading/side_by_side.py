"""One submission on several idle slots: its questions are judged side by side, in jobs that each run its cells.

What a question gets does not depend on the others, so the parts together are what one job would give. Their number is
decided by how long the reference takes: another part runs the cells once more, so each must have checks that take as
long as the cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gradetape.gradebook import QuestionResult
from gradetape.records import CellEvent, CheckResult, Lost, Outcome, Said

Checks = tuple[str, ...]


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds the reference takes for each question, and for all that is not a check: most are its cells."""

    cells: float = 0.0
    questions: Mapping[str, float] = {}

    @classmethod
    def of(cls, results: Iterable[QuestionResult]) -> Times:
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


def parts_of(checks: Checks, times: Times, most: int) -> tuple[Checks, ...]:
    """These checks in at most so many parts, by question, so that the longest part is as short as it can be.

    The part with the first question comes first. Without times there is one part.
    """
    whole = times.of_checks(checks) if most > 1 else 0.0
    worth_it = int(whole / times.cells) if times.cells else most
    found = [_packed(checks, times, count) for count in range(2, min(most, worth_it) + 1)] if whole else []
    return min([(checks,), *found], key=lambda parts: (round(max(map(times.of_checks, parts)), 3), len(parts)))


def _packed(checks: Checks, times: Times, count: int) -> tuple[Checks, ...]:
    """The questions in `count` parts, the longest first, each to the part that has least."""
    of_question: dict[str, list[str]] = {}
    for check in checks:
        of_question.setdefault(question_of(check), []).append(check)
    parts: list[list[str]] = [[] for _ in range(count)]
    for question in sorted(of_question, key=lambda each: -times.questions.get(each, 0.0)):
        min(parts, key=lambda part: (times.of_checks(part), len(part))).extend(of_question[question])
    ordered = [tuple(check for check in checks if check in part) for part in parts if part]
    return tuple(sorted(ordered, key=lambda part: checks.index(part[0])))


def together(ended: Sequence[Outcome | Lost]) -> Outcome | Lost:
    """The end of a submission's parts as that of one job; lost if one of them is."""
    if len(ended) == 1:
        return ended[0]
    lost = [each for each in ended if isinstance(each, Lost)]
    if lost:
        return Lost(reason=lost[0].reason, said=_said(ended))
    return _joined([each for each in ended if isinstance(each, Outcome)])


def _joined(parts: Sequence[Outcome]) -> Outcome:
    """The seconds are those of one job: the checks of all parts, and once what was no check, without waiting."""
    checks = [sum(result.seconds for result in each.results) for each in parts]
    between = min(each.seconds - seconds for each, seconds in zip(parts, checks, strict=True))
    return Outcome(
        results=tuple(result for each in parts for result in each.results),
        events=_events([each.events for each in parts]),
        layers=tuple(dict.fromkeys(layer for each in parts for layer in each.layers)),
        devices=tuple(dict.fromkeys(device for each in parts for device in each.devices)),
        versions={name: number for each in parts for name, number in each.versions.items()},
        review=tuple(dict.fromkeys(sign for each in parts for sign in each.review)),
        seconds=round(sum(checks) + between, 3),
        sent_bytes={check: count for each in parts for check, count in each.sent_bytes.items()},
    )


def _events(parts: Sequence[tuple[CellEvent, ...]]) -> tuple[CellEvent, ...]:
    """What the cells said in the first part in which they said anything, and the cells that others quarantined."""
    told = next((events for events in parts if events), ())
    known = {event.cell for event in told if event.kind == "quarantined"}
    more = {event.cell: event for events in parts for event in events if event.kind == "quarantined"}
    return (*told, *(event for cell, event in more.items() if cell not in known))


def _said(ended: Sequence[Outcome | Lost]) -> Said | None:
    """What all parts said; None if no hidden check has begun in any of them."""
    said = [Said.of(each.events, each.results) if isinstance(each, Outcome) else each.said for each in ended]
    if said == [None] * len(said):
        return None
    known = [each for each in said if each is not None]
    results: tuple[CheckResult, ...] = tuple(result for each in known for result in each.results)
    return Said(events=_events([each.events for each in known]), results=results)
