"""What a verification found out, and whether it proves the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from gradetape.records import Check, CheckResult, Verdict

BOUNDS = {"raiser": 0.0, "argument": 0.10, "zeros": 0.10, "liar": 0.25}


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One solution that was run: its kind, its question (None for a whole assignment), and its results."""

    kind: str
    name: str
    question: str | None
    results: tuple[CheckResult, ...]
    expected: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """The points that it got."""
        return sum(result.points for result in self.results)

    @property
    def failed(self) -> tuple[str, ...]:
        """The ids of the checks that it did not pass."""
        return tuple(result.check.id for result in self.results if result.verdict not in _HELD)

    @property
    def passed(self) -> tuple[str, ...]:
        """The ids of the checks that it passed."""
        return tuple(result.check.id for result in self.results if result.verdict in _HELD)

    @property
    def missed(self) -> tuple[str, ...]:
        """The ids of the checks that its header names and that it passed; what was skipped is no surprise."""
        skipped = {result.check.id for result in self.results if result.verdict is Verdict.SKIPPED}
        return tuple(sorted(set(self.expected) - set(self.failed) - skipped))

    @property
    def surprise(self) -> bool:
        """Whether other checks failed than its header names."""
        return bool(self.missed) or not set(self.failed) <= set(self.expected)


_HELD = (Verdict.PASSED, Verdict.SKIPPED)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of an assignment's checks, or what is missing for one.

    `faults` says why a check cannot be run at all, by its id; `unready` names the files of a question that are still
    placeholders, by its stem.
    """

    assignment: str
    checks: tuple[Check, ...] = ()
    trials: tuple[Trial, ...] = ()
    faults: Mapping[str, str] = {}
    unready: Mapping[str, tuple[str, ...]] = {}

    def of(self, kind: str) -> tuple[Trial, ...]:
        """The trials of a kind: reference, variant, starter, mutant or adversary."""
        return tuple(trial for trial in self.trials if trial.kind == kind)

    @property
    def max_points(self) -> float:
        """What the checks are worth together."""
        return sum(check.points for check in self.checks)

    @property
    def killed_by(self) -> dict[str, tuple[str, ...]]:
        """For each check, the mutants that fail it."""
        mutants = self.of("mutant")
        return {
            check.id: tuple(mutant.name for mutant in mutants if check.id in mutant.failed) for check in self.checks
        }

    @property
    def flaky(self) -> tuple[str, ...]:
        """The checks that did not always end alike on the same right solution."""
        ends: dict[tuple[str, str | None, str], set[str]] = {}
        for trial in (*self.of("reference"), *self.of("variant")):
            for result in trial.results:
                ends.setdefault((trial.name, trial.question, result.check.id), set()).add(result.verdict)
        return tuple(sorted({check for (_, _, check), verdicts in ends.items() if len(verdicts) > 1}))

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing for a proof, in words."""
        return tuple(self._problems())

    @property
    def ok(self) -> bool:
        """Whether the checks are proven."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """What `verify --json` prints, as plain data."""
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
                 "killed_by": list(killed[check.id])}
                for check in self.checks
            ],
            "flaky": list(self.flaky),
        }  # fmt: skip

    def _problems(self) -> Iterator[str]:
        for stem, paths in self.unready.items():
            names = ", ".join(path.rsplit("/", 1)[-1] for path in paths)
            yield f"{stem} is not ready: fill in {names}, and remove the placeholder line from each"
        for check, reason in self.faults.items():
            yield f"{check} cannot be run: {_line(reason)}"
        for trial in self.trials:
            for result in trial.results:
                if result.verdict is Verdict.FAULT:
                    yield f"{result.check.id} is a fault with {trial.kind} {trial.name}: {_line(result.staff_message)}"
        for trial in (*_once(self.of("reference")), *_once(self.of("variant"))):
            for result in trial.results:
                if result.verdict not in _HELD:
                    yield f"{trial.kind} {trial.name} does not pass {result.check.id}: {_line(result.staff_message)}"
        for check in self.flaky:
            yield f"{check} is flaky: the same solution does not always get the same verdict"
        for trial in (*self.of("starter"), *self.of("adversary")):
            bound = BOUNDS.get(trial.name, 0.0) * self.max_points
            if trial.points > bound:
                yield f"{trial.name} gets {trial.points:g} points (at most {bound:g}) by {', '.join(trial.passed)}"
        for trial in self.of("mutant"):
            yield from _surprises(trial)
        for check_id, mutants in self.killed_by.items():
            if not mutants and not self._skipped(check_id):
                yield f"{check_id} is failed by no mutant: what it checks is not proven"

    def _skipped(self, check_id: str) -> bool:
        reference = self.of("reference")
        return any(
            result.verdict is Verdict.SKIPPED
            for trial in reference
            for result in trial.results
            if result.check.id == check_id
        )


def _variant(trial: Trial) -> dict[str, Any]:
    return {"question": trial.question, "name": trial.name, "ok": not trial.failed}


def _mutant(trial: Trial) -> dict[str, Any]:
    return {
        "question": trial.question, "name": trial.name, "expected": [_short(check) for check in trial.expected],
        "failed": [_short(check) for check in trial.failed], "ok": not trial.surprise,
    }  # fmt: skip


def _surprises(trial: Trial) -> Iterator[str]:
    name = f"mutant {trial.question}/{trial.name}"
    for check in trial.missed:
        yield f"{name} should fail {_short(check)}, and passes it"
    for result in trial.results:
        if result.check.id in trial.failed and result.check.id not in trial.expected:
            reason = f"({result.verdict}) {_line(result.staff_message)}"
            yield f"{name} fails {_short(result.check.id)} unexpectedly: {reason}"


def _once(trials: Sequence[Trial]) -> list[Trial]:
    """Of repeated trials, the one that failed most."""
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
    return " ".join(text.split())[:300]
