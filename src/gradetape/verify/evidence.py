"""What a verification ran and found, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from gradetape.records import Basis, Check, CheckResult, Verdict
from gradetape.verify.coverage import Prompt
from gradetape.verify.trials import HELD, Trial
from gradetape.verify.waivers import Waiver


class Evidence(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The solutions that were run, and the checks that judged them.

    `faults` holds, by check id, the reason why a check cannot be run at all. `unready` lists the placeholders by
    question id; those of the introduction by the assignment's name. `prompts` are those of the questions that were run.
    `partial` says that only some checks or mutants were asked for, which cannot prove a question; `brief`, that mutants
    were judged only by the checks that their headers name. `recalled` counts the results that were known from earlier
    runs.
    """

    assignment: str
    checks: tuple[Check, ...] = ()
    trials: tuple[Trial, ...] = ()
    faults: Mapping[str, str] = {}
    unready: Mapping[str, tuple[str, ...]] = {}
    prompts: tuple[Prompt, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    partial: bool = False
    brief: bool = False
    recalled: int = 0

    def of(self, kind: str) -> tuple[Trial, ...]:
        """The trials of one kind: reference, variant, starter, mutant or adversary."""
        return tuple(trial for trial in self.trials if trial.kind == kind)

    def once(self, kind: str) -> tuple[Trial, ...]:
        """The same, but of each repeated trial only the run with the most failed checks."""
        worst: dict[tuple[str | None, str], Trial] = {}
        for trial in self.of(kind):
            known = worst.get((trial.question, trial.name))
            if known is None or len(trial.failed) > len(known.failed):
                worst[trial.question, trial.name] = trial
        return tuple(worst.values())

    @property
    def max_points(self) -> float:
        """The total points of the checks."""
        return sum(check.points for check in self.checks)

    @cached_property
    def killed_by(self) -> dict[str, tuple[str, ...]]:
        """For each check, the mutants that fail it; mutants that do not run do not count."""
        mutants = [mutant for mutant in self.of("mutant") if not mutant.unloaded]
        return {
            check.id: tuple(mutant.name for mutant in mutants if check.id in mutant.failed) for check in self.checks
        }

    @cached_property
    def seconds(self) -> dict[str, float]:
        """For each check, the longest time that it took for the reference."""
        found: dict[str, float] = {}
        for result in _results(self.of("reference")):
            found[result.check.id] = max(result.seconds, found.get(result.check.id, 0.0))
        return found

    @cached_property
    def bases(self) -> dict[str, Basis]:
        """For each check, what its verdict on the reference rests on."""
        return {result.check.id: result.basis for result in _results(self.of("reference"))}

    def points_on(self, question: str, basis: Basis) -> float:
        """The points of a question that rest on a basis, for the reference."""
        own = [check for check in self.checks if check.question == question]
        return sum(check.points for check in own if self.bases.get(check.id) is basis)

    @cached_property
    def flaky(self) -> tuple[str, ...]:
        """The checks whose verdict differs between runs of the same right solution."""
        ends: dict[tuple[str, str | None, str], set[str]] = {}
        for trial in (*self.of("reference"), *self.of("variant")):
            for result in trial.results:
                ends.setdefault((trial.name, trial.question, result.check.id), set()).add(result.verdict)
        return tuple(sorted({check for (_, _, check), verdicts in ends.items() if len(verdicts) > 1}))

    @cached_property
    def rejected(self) -> frozenset[str]:
        """The checks that the reference does not pass."""
        return frozenset(result.check.id for result in _results(self.of("reference")) if result.verdict not in HELD)

    @cached_property
    def skipped(self) -> frozenset[str]:
        """The checks that were not run for the reference, as those that need a GPU."""
        skipped = Verdict.SKIPPED
        return frozenset(result.check.id for result in _results(self.of("reference")) if result.verdict is skipped)

    @cached_property
    def unread(self) -> frozenset[str]:
        """The questions with check files that cannot be read."""
        return frozenset(check.question for check in self.checks if check.id in self.faults)


def _results(trials: Sequence[Trial]) -> list[CheckResult]:
    return [result for trial in trials for result in trial.results]
