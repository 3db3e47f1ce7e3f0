"""Evidence as plain data, for `verify --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradetape.verify.bounds import bounds
from gradetape.verify.coverage import requirements_as_json
from gradetape.verify.evidence import Evidence
from gradetape.verify.trials import Trial, short


def as_plain(evidence: Evidence) -> dict[str, Any]:
    """The points of every solution, the checks that each mutant fails, and the requirements."""
    return {
        "reference": {"points": _least(evidence.of("reference")), "max_points": evidence.max_points},
        "starter": {"points": _most(evidence.of("starter"))},
        "variants": [_variant(trial) for trial in evidence.once("variant")],
        "adversaries": [{"name": trial.name, "points": trial.points} for trial in evidence.of("adversary")],
        "mutants": [_mutant(trial) for trial in evidence.of("mutant")],
        "checks": _checks(evidence),
        "flaky": list(evidence.flaky),
        "requirements": requirements_as_json(evidence.prompts, evidence.checks, evidence.of("mutant")),
        "bounds": [
            {"question": bound.question, "name": bound.name, "points": bound.points, "at_most": bound.most,
             "ok": bound.ok}
            for bound in bounds(evidence)
        ],
        "waivers": [
            {"question": waiver.question, "adversary": waiver.adversary, "checks": list(waiver.checks),
             "reason": waiver.reason}
            for waiver in evidence.waivers
        ],
        "partial": evidence.partial,
        "brief": evidence.brief,
        "recalled": evidence.recalled,
    }  # fmt: skip


def _checks(evidence: Evidence) -> list[dict[str, Any]]:
    killed, seconds, bases = evidence.killed_by, evidence.seconds, evidence.bases
    return [
        {"question": check.question, "name": check.name, "public": check.public, "points": check.points,
         "killed_by": list(killed[check.id]), "proves": list(check.requirements),
         "seconds": round(seconds.get(check.id, 0.0), 3),
         "basis": bases[check.id].value if check.id in bases else None}
        for check in evidence.checks
    ]  # fmt: skip


def _variant(trial: Trial) -> dict[str, Any]:
    return {"question": trial.question, "name": trial.name, "ok": not trial.failed and not trial.unloaded}


def _mutant(trial: Trial) -> dict[str, Any]:
    return {
        "question": trial.question, "name": trial.name, "expected": [short(check) for check in trial.expected],
        "failed": [short(check) for check in trial.failed], "ok": not trial.surprise and not trial.unloaded,
        "may_fail": [short(check) for check in trial.possible], "breaks": list(trial.breaks),
    }  # fmt: skip


def _least(trials: Sequence[Trial]) -> float:
    return min((trial.points for trial in trials), default=0.0)


def _most(trials: Sequence[Trial]) -> float:
    return max((trial.points for trial in trials), default=0.0)
