"""A grade is composed of question results, whichever jobs they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gradetape.gradebook import QuestionResult, Run
from gradetape.grading.question_keys import QuestionKey
from gradetape.records import Cell, CellEvent, CheckResult, Grade, Outcome, Verdict

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
