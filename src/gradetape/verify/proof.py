"""The result of a verification, and whether it proves the checks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from gradetape.records import Check, CheckResult, Verdict
from gradetape.verify.coverage import Prompt, coverage_notes, coverage_problems, requirements_as_json
from gradetape.verify.trials import HELD, Trial

BOUNDS = {"raiser": 0.0, "argument": 0.10, "zeros": 0.10, "liar": 0.25}


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of an assignment's checks, or the problems that are left.

    `faults` holds, by check id, the reason why a check cannot be run at all. `unready` lists the placeholders by
    question id; those of the introduction by the assignment's name. `prompts` are those of the questions that were run.
    """

    assignment: str
    checks: tuple[Check, ...] = ()
    trials: tuple[Trial, ...] = ()
    faults: Mapping[str, str] = {}
    unready: Mapping[str, tuple[str, ...]] = {}
    prompts: tuple[Prompt, ...] = ()

    def of(self, kind: str) -> tuple[Trial, ...]:
        """The trials of one kind: reference, variant, starter, mutant or adversary."""
        return tuple(trial for trial in self.trials if trial.kind == kind)

    @property
    def max_points(self) -> float:
        """The total points of the checks."""
        return sum(check.points for check in self.checks)

    @property
    def killed_by(self) -> dict[str, tuple[str, ...]]:
        """For each check, the mutants that fail it; mutants that do not run do not count."""
        mutants = [mutant for mutant in self.of("mutant") if not mutant.unloaded]
        return {
            check.id: tuple(mutant.name for mutant in mutants if check.id in mutant.failed) for check in self.checks
        }

    @property
    def flaky(self) -> tuple[str, ...]:
        """The checks whose verdict differs between runs of the same right solution."""
        ends: dict[tuple[str, str | None, str], set[str]] = {}
        for trial in (*self.of("reference"), *self.of("variant")):
            for result in trial.results:
                ends.setdefault((trial.name, trial.question, result.check.id), set()).add(result.verdict)
        return tuple(sorted({check for (_, _, check), verdicts in ends.items() if len(verdicts) > 1}))

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems that stand in the way of a proof."""
        return tuple(self._problems())

    @property
    def notes(self) -> tuple[str, ...]:
        """What an author should know, though it stands in the way of nothing."""
        return tuple(coverage_notes(self.prompts, self.checks))

    @property
    def ok(self) -> bool:
        """Whether the checks are proven."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """The output of `verify --json`, as plain data."""
        killed = self.killed_by
        return {
            "assignment": self.assignment,
            "ok": self.ok,
            "reference": {"points": _least(self.of("reference")), "max_points": self.max_points},
            "starter": {"points": _most(self.of("starter"))},
            "variants": [_variant(trial) for trial in _once(self.of("variant"))],
            "adversaries": [{"name": trial.name, "points": trial.points} for trial in self.of("adversary")],
            "mutants": [_mutant(trial) for trial in self.of("mutant")],
            "checks": [
                {"question": check.question, "name": check.name, "public": check.public, "points": check.points,
                 "killed_by": list(killed[check.id]), "proves": list(check.requirements)}
                for check in self.checks
            ],
            "flaky": list(self.flaky),
            "requirements": requirements_as_json(self.prompts, self.checks, self.of("mutant")),
            "notes": list(self.notes),
        }  # fmt: skip

    def _problems(self) -> Iterator[str]:
        for name, paths in self.unready.items():
            names = ", ".join(path.rsplit("/", 1)[-1] for path in paths)
            yield f"{name} is not ready: fill in {names}, and remove the placeholder line from each"
        for check, reason in self.faults.items():
            yield f"{check} cannot be run: {_line(reason)}"
        rejected = {result.check.id for trial in self.of("reference") for result in trial.results if _wrong(result)}
        yield from self._unfair(rejected)
        for check in self.flaky:
            yield f"{check} is flaky: the same solution does not always get the same verdict"
        yield from self._faults(rejected)
        for trial in (*self.of("starter"), *self.of("adversary")):
            bound = BOUNDS.get(trial.name, 0.0) * self.max_points
            if trial.points > bound:
                yield f"{trial.name} gets {trial.points:g} points (at most {bound:g}) by {', '.join(trial.passed)}"
        for trial in self.of("mutant"):
            yield from _surprises(trial, rejected)
        yield from self._unproven(rejected)
        unread = {check.question for check in self.checks if check.id in self.faults}
        unclear = rejected | {check.id for check in self.checks if self._skipped(check.id)}
        prompts = [prompt for prompt in self.prompts if prompt.question not in unread]
        yield from coverage_problems(prompts, self.checks, self.of("mutant"), unclear)

    def _unfair(self, rejected: Set[str]) -> Iterator[str]:
        """Checks that reject right solutions; a check that rejects the reference is not reported for variants too."""
        for trial in (*_once(self.of("reference")), *_once(self.of("variant"))):
            yield from (f"{trial.label} does not run: {reason}" for reason in trial.unloaded.values())
            for result in trial.conclusive:
                elsewhere = result.check.id in rejected or result.verdict is Verdict.FAULT
                if _wrong(result) and not (trial.kind == "variant" and elsewhere):
                    yield f"{trial.label} does not pass {result.check.id}: {_line(result.staff_message)}"

    def _faults(self, rejected: Set[str]) -> Iterator[str]:
        """Checks that pass the reference but end in an error of their own with other solutions."""
        found: dict[str, list[tuple[Trial, CheckResult]]] = {}
        for trial in self.trials:
            for result in trial.conclusive:
                if result.verdict is Verdict.FAULT and result.check.id not in rejected:
                    found.setdefault(result.check.id, []).append((trial, result))
        for check, ((trial, result), *others) in found.items():
            more = f" and {len(others)} more" if others else ""
            yield f"{check} ends in a fault with {trial.label}{more}: {_line(result.staff_message)}"

    def _unproven(self, rejected: Set[str]) -> Iterator[str]:
        """Checks that no mutant fails, unless a problem reported above explains it."""
        killed = self.killed_by
        unread = {check.question for check in self.checks if check.id in self.faults}
        for check in self.checks:
            explained = check.question in unread or check.id in rejected or self._skipped(check.id)
            if not explained and not killed[check.id]:
                yield f"no mutant fails {check.id}, so it is not proven: add a mutant that fails it"

    def _skipped(self, check_id: str) -> bool:
        reference = self.of("reference")
        return any(
            result.verdict is Verdict.SKIPPED
            for trial in reference
            for result in trial.results
            if result.check.id == check_id
        )


def _wrong(result: CheckResult) -> bool:
    return result.verdict not in HELD


def _variant(trial: Trial) -> dict[str, Any]:
    return {"question": trial.question, "name": trial.name, "ok": not trial.failed and not trial.unloaded}


def _mutant(trial: Trial) -> dict[str, Any]:
    return {
        "question": trial.question, "name": trial.name, "expected": [_short(check) for check in trial.expected],
        "failed": [_short(check) for check in trial.failed], "ok": not trial.surprise and not trial.unloaded,
        "breaks": list(trial.breaks),
    }  # fmt: skip


def _surprises(trial: Trial, rejected: Set[str]) -> Iterator[str]:
    if trial.unloaded:
        yield from (f"{trial.label} does not run: {reason}" for reason in trial.unloaded.values())
        return
    for check in sorted(set(trial.missed) - rejected):
        yield f"{trial.label} should fail {_short(check)} but passes it"
    for result in trial.results:
        known = result.check.id in trial.expected or result.check.id in rejected or result.verdict is Verdict.FAULT
        if _wrong(result) and not known:
            reason = f"({result.verdict}) {_line(result.staff_message)}"
            yield f"{trial.label} fails {_short(result.check.id)} unexpectedly: {reason}"


def _once(trials: Sequence[Trial]) -> list[Trial]:
    """Of each repeated trial, the run with the most failed checks."""
    worst: dict[tuple[str | None, str], Trial] = {}
    for trial in trials:
        known = worst.get((trial.question, trial.name))
        if known is None or len(trial.failed) > len(known.failed):
            worst[trial.question, trial.name] = trial
    return list(worst.values())


def _least(trials: Sequence[Trial]) -> float:
    return min((trial.points for trial in trials), default=0.0)


def _most(trials: Sequence[Trial]) -> float:
    return max((trial.points for trial in trials), default=0.0)


def _short(check_id: str) -> str:
    return check_id.split("::", 1)[1]


def _line(text: str) -> str:
    """The start of a text, up to a traceback, on one line."""
    return textwrap.shorten(text.partition("\nTraceback (most recent call last):")[0], 400, placeholder=" …")
