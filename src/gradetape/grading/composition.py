"""A grade is composed of question results, whichever jobs they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gradetape.gradebook import QuestionResult, Run
from gradetape.grading.question_keys import QuestionKey
from gradetape.records import Cell, CellEvent, CheckResult, Grade, Lost, Outcome, Said, Verdict

_VARYING = ("output",)  # what a cell prints may differ from run to run: only the newest run's is shown


class GradedSubmission(msgspec.Struct, frozen=True):
    """A grade, the question results that were judged for it, and the digests of all that it is composed of."""

    grade: Grade
    results: tuple[QuestionResult, ...] = ()
    composed_of: dict[str, str] = {}


def run_of(outcome: Outcome) -> Run:
    """What is known of a job besides its results."""
    return Run(
        events=outcome.events, layers=outcome.layers, devices=outcome.devices, versions=outcome.versions,
        review=outcome.review, seconds=outcome.seconds,
    )  # fmt: skip


def results_of(
    keys: Iterable[QuestionKey], outcome: Outcome, completed: Sequence[CheckResult]
) -> tuple[QuestionResult, ...]:
    """The results of the questions of a job that may be stored: those in which the grader made no fault."""
    run, found = run_of(outcome), list[QuestionResult]()
    for key in keys:
        results = tuple(result for result in completed if result.check.question == key.question)
        if results and all(result.verdict is not Verdict.FAULT for result in results):
            sent = {check: count for check, count in outcome.sent_bytes.items() if _in(check, key.question)}
            found.append(
                QuestionResult(
                    question=key.question, digest=key.digest, parts=key.parts, results=results, sent_bytes=sent, run=run
                )
            )
    return tuple(found)


def together(ended: Sequence[Outcome | Lost]) -> Outcome | Lost:
    """The end of a submission's parts as that of one job; lost if one of them is."""
    if len(ended) == 1:
        return ended[0]
    lost = [each for each in ended if isinstance(each, Lost)]
    if lost:
        return Lost(reason=lost[0].reason, said=_said(ended))
    return _joined([each for each in ended if isinstance(each, Outcome)])


def _joined(parts: Sequence[Outcome]) -> Outcome:
    """The seconds are those of one job: the checks of all parts, and once the time outside them, without waiting."""
    checks = [sum(result.seconds for result in each.results) for each in parts]
    between = min(each.seconds - seconds for each, seconds in zip(parts, checks, strict=True))
    return Outcome(
        results=tuple(result for each in parts for result in each.results),
        events=_told([each.events for each in parts]),
        layers=tuple(dict.fromkeys(layer for each in parts for layer in each.layers)),
        devices=tuple(dict.fromkeys(device for each in parts for device in each.devices)),
        versions={name: number for each in parts for name, number in each.versions.items()},
        review=tuple(dict.fromkeys(sign for each in parts for sign in each.review)),
        seconds=round(sum(checks) + between, 3),
        sent_bytes={check: count for each in parts for check, count in each.sent_bytes.items()},
    )


def _told(parts: Sequence[tuple[CellEvent, ...]]) -> tuple[CellEvent, ...]:
    """What the cells said in the first part in which they said anything, and the cells that others quarantined."""
    told = next((events for events in parts if events), ())
    known = {event.cell for event in told if event.kind == "quarantined"}
    more = {event.cell: event for events in parts for event in events if event.kind == "quarantined"}
    return (*told, *(event for cell, event in more.items() if cell not in known))


def _said(ended: Sequence[Outcome | Lost]) -> Said | None:
    """What all parts said; None if no hidden check has begun in any of them."""
    if all(isinstance(each, Lost) and each.said is None for each in ended):
        return None
    said = [
        each.said or each.said_before if isinstance(each, Lost) else Said.of(each.events, each.results)
        for each in ended
    ]
    known = [each for each in said if each is not None]
    results: tuple[CheckResult, ...] = tuple(result for each in known for result in each.results)
    return Said(events=_told([each.events for each in known]), results=results)


def merged(stored: Iterable[QuestionResult], newest: Run | None, cells: Sequence[Cell]) -> Run:
    """The runs of a grade as one: what they report together, and the seconds of all of them.

    Of what a cell printed, only the newest run is told. `cells` are attributed as they are now.
    """
    runs = ([newest] if newest else []) + _newest_first(stored)
    return Run(
        events=_events(runs, cells),
        layers=tuple(dict.fromkeys(layer for run in runs for layer in run.layers)),
        devices=tuple(dict.fromkeys(device for run in runs for device in run.devices)),
        versions={name: number for run in reversed(runs) for name, number in run.versions.items()},
        review=tuple(dict.fromkeys(sign for run in runs for sign in run.review)),
        seconds=round(sum(run.seconds for run in runs), 3),
    )


def _newest_first(stored: Iterable[QuestionResult]) -> list[Run]:
    """The runs of stored results, each once: results of one job share theirs."""
    by_id = sorted(stored, key=lambda result: -result.id)
    return list({id(result.run): result.run for result in by_id}.values())


def _events(runs: Sequence[Run], cells: Sequence[Cell]) -> tuple[CellEvent, ...]:
    """The newest run's events, and what happened to other cells in the runs before it."""
    newest, *older = runs or [Run()]
    found = list(newest.events)
    for run in older:
        known = {(event.cell, event.kind) for event in found}
        found += [each for each in run.events if each.kind not in _VARYING and (each.cell, each.kind) not in known]
    if older:
        found.sort(key=lambda event: event.cell)
    return tuple(_attributed(event, cells) for event in found)


def _attributed(event: CellEvent, cells: Sequence[Cell]) -> CellEvent:
    known = 0 <= event.cell < len(cells)
    return msgspec.structs.replace(event, question=cells[event.cell].question) if known else event


def _in(check_id: str, question_id: str) -> bool:
    return check_id.startswith(f"{question_id}::")
