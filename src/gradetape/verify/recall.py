"""What earlier runs have found out about the solutions and the checks of an assignment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.course.unchanged import refuse_changed
from gradetape.engine import Engine
from gradetape.errors import RequestError
from gradetape.grading.rubric import Rubric
from gradetape.records import CellEvent, CheckResult, CollectedChecks, Job, Outcome, Verdict
from gradetape.verify.outcomes import Outcomes
from gradetape.verify.pairs import LOADING, PairKeys
from gradetape.verify.plans import Plan
from gradetape.verify.trials import HELD

_RIGHT = ("reference", "variant")
_BY_CODE = (*HELD, Verdict.FAILED, Verdict.ERROR, Verdict.MISSING)
PlansFor = Callable[[Rubric], Sequence[Plan]]


class Recalled(msgspec.Struct, frozen=True):
    """What is known of a plan's job: results of checks, how its cells load, and the checks that have to run."""

    results: tuple[CheckResult, ...]
    events: tuple[CellEvent, ...]
    left: tuple[str, ...]

    def job(self, job: Job) -> Job:
        """The job for the checks that are left."""
        return msgspec.structs.replace(job, only=self.left)

    def whole(self, job: Job, judged: Outcome | None = None) -> Outcome:
        """The outcome of the whole job: what is known, and what was judged now."""
        found = {result.check.id: result for result in (*self.results, *(judged.results if judged else ()))}
        results = tuple(found[check] for check in job.only or () if check in found)
        if judged is None:
            return Outcome(results=results, events=self.events)
        return msgspec.structs.replace(judged, results=results)


class Recall:
    """Recalls results of earlier runs, and keeps those of this one.

    What stands in the way of a proof is never recalled: a right solution that does not pass a check runs again, and so
    does what may depend on the machine's load. Only for a mutant whose header names the check, a check that ends
    because of time or memory is kept.
    """

    def __init__(self, gradable: GradableAssignment, engine: Engine, outcomes: Outcomes) -> None:
        self._gradable = gradable
        self._engine = engine
        self._outcomes = outcomes
        self._keys = PairKeys(gradable, engine.environment)

    def collected(self, question_ids: Collection[str], plans_for: PlansFor) -> CollectedChecks:
        """The assignment's checks; where no solution has to run for them, the workers are not started."""
        known = self._outcomes.collected(self._keys.collection)
        if known is None:
            with suppress(RequestError):  # a check that only pytest can tell
                self._engine.expect(self._jobs(question_ids, plans_for))
            known = self._engine.collected
            refuse_changed(self._gradable.course.root, self._gradable.read_checks)
            if not known.broken:
                self._outcomes.keep({self._keys.collection: known})
        return known

    def _jobs(self, question_ids: Collection[str], plans_for: PlansFor) -> int:
        """How many solutions have to run, as far as the check files' text tells."""
        checks = tuple(check for check in self._keys.checks if check.question in question_ids)
        rubric = Rubric(self._gradable, checks, {})
        return sum(bool(self.of(plan, rubric).left) for plan in plans_for(rubric))

    def of(self, plan: Plan, rubric: Rubric) -> Recalled:
        """What is known of a plan, with the points and words of the rubric."""
        keys = self._keys.of(plan.job)
        events = self._outcomes.events(keys[LOADING])
        known = self._outcomes.results(keys.values()) if events is not None else {}
        found = {check: known[key] for check, key in keys.items() if check != LOADING and key in known}
        left = tuple(check for check in plan.job.only or () if check not in found)
        return Recalled(rubric.renewed(found.values()), events or (), left)

    def keep(self, plan: Plan, judged: Outcome) -> None:
        """Keeps what a plan's job has got."""
        if any(event.kind == "quarantined" for event in judged.events):
            return
        keys = self._keys.of(plan.job)
        lasting = [each for each in judged.results if each.check.id in keys and _lasts(plan, each)]
        self._outcomes.keep({keys[LOADING]: judged.events, **{keys[each.check.id]: each for each in lasting}})


def _lasts(plan: Plan, result: CheckResult) -> bool:
    if plan.kind in _RIGHT:
        return result.verdict in HELD
    if result.verdict is Verdict.FAULT:
        return False
    return result.verdict in _BY_CODE or result.check.id in plan.expected
