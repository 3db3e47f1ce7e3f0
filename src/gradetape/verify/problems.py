"""What stands in the way of a proof, and what an author should know beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from gradetape.records import CheckResult, Verdict
from gradetape.verify.bounds import bound_problems, waiver_notes
from gradetape.verify.coverage import coverage_notes, coverage_problems
from gradetape.verify.evidence import Evidence
from gradetape.verify.trials import HELD, Trial, short


def problems_of(evidence: Evidence) -> Iterator[str]:
    """The problems; what follows from another one is not reported."""
    yield from not_run(evidence)
    yield from _unfair(evidence)
    for check in evidence.flaky:
        yield f"{check} is flaky: the same solution does not always get the same verdict"
    yield from _faults(evidence)
    yield from bound_problems(evidence)
    for trial in evidence.of("mutant"):
        yield from _surprises(evidence, trial)
    if not evidence.partial:
        yield from _unproven(evidence)
        prompts = [prompt for prompt in evidence.prompts if prompt.question not in evidence.unread]
        unclear = evidence.rejected | evidence.skipped
        yield from coverage_problems(prompts, evidence.checks, evidence.of("mutant"), unclear)


def notes_of(evidence: Evidence) -> Iterator[str]:
    """Skipped checks, checks that mutants did not run, questions without requirement ids, and the waivers."""
    yield from _skipped(evidence)
    if evidence.brief:
        yield "each mutant ran only the checks that its header names; without --brief it runs all"
    if not evidence.partial:
        yield from coverage_notes(evidence.prompts, evidence.checks)
    yield from waiver_notes(evidence)


def _skipped(evidence: Evidence) -> Iterator[str]:
    """Checks that were skipped, so that nothing is proven of them here."""
    for trial in evidence.once("reference"):
        for result in trial.conclusive:
            if result.verdict is Verdict.SKIPPED:
                yield f"{result.check.id} was skipped, so it is not proven here: {_line(result.staff_message)}"


def not_run(evidence: Evidence) -> Iterator[str]:
    """Questions and checks that cannot be run, so that nothing is known of them."""
    yield from _unready(evidence)
    for check, reason in evidence.faults.items():
        yield f"{check} cannot be run: {_line(reason)}"


def _unready(evidence: Evidence) -> Iterator[str]:
    for name, paths in evidence.unready.items():
        names = ", ".join(path.rsplit("/", 1)[-1] for path in paths)
        yield f"{name} is not ready: fill in {names}, and remove the placeholder line from each"


def _unfair(evidence: Evidence) -> Iterator[str]:
    """Checks that reject right solutions; a check that rejects the reference is not reported for variants too."""
    for trial in (*evidence.once("reference"), *evidence.once("variant")):
        yield from (f"{trial.label} does not run: {reason}" for reason in trial.unloaded.values())
        for result in trial.conclusive:
            elsewhere = result.check.id in evidence.rejected or result.verdict is Verdict.FAULT
            if _wrong(result) and not (trial.kind == "variant" and elsewhere):
                yield f"{trial.label} does not pass {result.check.id}: {_line(result.staff_message)}"


def _faults(evidence: Evidence) -> Iterator[str]:
    """Checks that pass the reference but end in an error of their own with other solutions."""
    found: dict[str, list[tuple[Trial, CheckResult]]] = {}
    for trial in evidence.trials:
        for result in trial.conclusive:
            if result.verdict is Verdict.FAULT and result.check.id not in evidence.rejected:
                found.setdefault(result.check.id, []).append((trial, result))
    for check, ((trial, result), *others) in found.items():
        more = f" and {len(others)} more" if others else ""
        yield f"{check} ends in a fault with {trial.label}{more}: {_line(result.staff_message)}"


def _surprises(evidence: Evidence, trial: Trial) -> Iterator[str]:
    """The checks that a mutant fails or passes though its header says otherwise."""
    if trial.unloaded:
        yield from (f"{trial.label} does not run: {reason}" for reason in trial.unloaded.values())
        return
    for check in sorted(set(trial.missed) - evidence.rejected):
        yield f"{trial.label} should fail {short(check)} but passes it"
    known = {*trial.expected, *trial.possible, *evidence.rejected}
    for result in trial.results:
        if _wrong(result) and result.verdict is not Verdict.FAULT and result.check.id not in known:
            reason = f"({result.verdict}) {_line(result.staff_message)}"
            yield f"{trial.label} fails {short(result.check.id)} unexpectedly: {reason}"


def _unproven(evidence: Evidence) -> Iterator[str]:
    """Checks that no mutant fails, unless a problem reported above explains it."""
    killed = evidence.killed_by
    for check in evidence.checks:
        explained = check.question in evidence.unread or check.id in evidence.rejected | evidence.skipped
        if not explained and not killed[check.id]:
            yield f"no mutant fails {check.id}, so it is not proven: add a mutant that fails it"


def _wrong(result: CheckResult) -> bool:
    return result.verdict not in HELD


def _line(text: str) -> str:
    """The start of a text, up to a traceback, on one line."""
    return textwrap.shorten(text.partition("\nTraceback (most recent call last):")[0], 400, placeholder=" …")
