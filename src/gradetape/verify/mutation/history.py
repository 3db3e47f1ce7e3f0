"""The verdicts that decide about a mutant: those that are remembered, and those of this run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gradetape.course.digests import digest_of
from gradetape.records import CheckResult, Outcome, Verdict
from gradetape.verify.mutation.digests import LOADING, Keys
from gradetape.verify.mutation.memory import Memory, Remembered
from gradetape.verify.mutation.records import End, GeneratedMutant, Result, Solution
from gradetape.verify.trials import HELD

_ENDS: Mapping[str, End] = {Verdict.TIMEOUT: End.TIMEOUT, Verdict.FAULT: End.FAULT}
_RAISED = (Verdict.ERROR, Verdict.MISSING, Verdict.MEMORY, Verdict.CRASHED)
# What another run may end otherwise, so it is not remembered.
_OF_THE_MACHINE = (Verdict.MEMORY, Verdict.CRASHED, Verdict.FAULT)


class KnownVerdicts:
    """The verdicts of an assignment's checks on solutions and mutants."""

    def __init__(self, memory: Memory, keys: Keys, checks: Sequence[str]) -> None:
        self._memory = memory
        self._keys = keys
        self._checks = checks
        self._failed: Counter[str] = Counter()

    def seconds(self, solution: Solution) -> dict[str, float | None]:
        """How long each check takes on a right solution; None if that is not known."""
        known = self._known(solution.question, solution.texts)
        return {check: each.seconds if each is not None and each.passed else None for check, each in known.items()}

    def keep_solution(self, solution: Solution, outcome: Outcome) -> None:
        """Keeps the verdicts on a right solution."""
        for result in outcome.results:
            self._keep(self._keys.pair(solution.question, solution.texts, result.check.id), result)

    def decided(self, mutant: GeneratedMutant, *, remembered: bool) -> Result | None:
        """A mutant's end, if the known verdicts decide it."""
        loading = self._memory.pair(self._key(mutant, LOADING))
        if loading is not None and not loading.passed:
            return Result(mutant=mutant, end=End.NOT_RUN, remembered=remembered)
        known = self._known(mutant.question, mutant.cells)
        for check, found in known.items():
            if found is not None and not found.passed:
                end, raised = _ENDS.get(found.how, End.FAILED), found.how in _RAISED
                return Result(mutant=mutant, end=end, check=check, raised=raised, remembered=remembered)
        if all(known.values()):
            return Result(mutant=mutant, end=End.SURVIVED, remembered=remembered)
        return None

    def keep_mutant(self, mutant: GeneratedMutant, outcome: Outcome, *, short: bool) -> None:
        """Keeps whether a mutant's cells run, and if they do, the verdicts.

        If its time was `short`, a timeout decides nothing.
        """
        loaded = not any(event.kind in ("error", "quarantined") for event in outcome.events)
        self._memory.keep_pair(self._key(mutant, LOADING), Remembered(loaded, "", 0.0))
        for result in outcome.results if loaded else ():
            if not (short and result.verdict is Verdict.TIMEOUT):
                self._keep(self._key(mutant, result.check.id), result)
            if result.verdict not in HELD:
                self._failed[f"{mutant.function} {result.check.id}"] += 1
                self._memory.keep_last_failed(_name(mutant), result.check.id)

    def left(self, mutant: GeneratedMutant) -> list[str]:
        """The checks without a verdict on a mutant, in the order in which it probably fails them.

        The check that it failed last comes first, then those that use the function that it changes.
        """
        last = self._memory.last_failed(_name(mutant))

        def order(check: str) -> tuple[bool, bool, int]:
            code = self._keys.codes.get(check)
            unrelated = code is not None and mutant.function.split(".")[0] not in code.names
            return check != last, unrelated, -self._failed[f"{mutant.function} {check}"]

        return sorted(
            (check for check, found in self._known(mutant.question, mutant.cells).items() if found is None), key=order
        )

    def _known(self, question_id: str, cells: Sequence[str]) -> dict[str, Remembered | None]:
        checks = [check for check in self._checks if check.startswith(f"{question_id}::")]
        return {check: self._memory.pair(self._keys.pair(question_id, cells, check)) for check in checks}

    def _keep(self, key: str, result: CheckResult) -> None:
        found = Remembered(result.verdict in HELD, str(result.verdict), result.seconds)
        self._memory.keep_pair(key, found, lasting=result.verdict not in _OF_THE_MACHINE)

    def _key(self, mutant: GeneratedMutant, check_id: str) -> str:
        return self._keys.pair(mutant.question, mutant.cells, check_id)


def _name(mutant: GeneratedMutant) -> str:
    """A digest that identifies a mutant when other lines of its solution have changed."""
    change = mutant.change
    return digest_of([mutant.question, mutant.solution, mutant.function, change.replace, change.by])
