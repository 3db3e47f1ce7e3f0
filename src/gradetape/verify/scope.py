"""Which checks and which mutants to run, by ids or unique prefixes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gradetape.errors import RequestError
from gradetape.grading.rubric import Rubric
from gradetape.records import Check
from gradetape.text import did_you_mean, printable
from gradetape.verify.mutants import Mutant

KINDS = ("reference", "variant", "starter", "adversary", "mutant")
Mutants = Mapping[str, Sequence[Mutant]]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The checks and mutants that an author asked for, all if there are none, and the kinds of solutions to run.

    With `brief`, a mutant is judged only by the checks that its header names.
    """

    checks: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    brief: bool = False

    @property
    def partial(self) -> bool:
        """Whether something is left out, so that nothing can be proven."""
        return bool(self.checks or self.mutants) or self.kinds != KINDS

    def rubric(self, rubric: Rubric) -> Rubric:
        """The rubric with the selected checks alone. Raises RequestError for a check that does not exist."""
        if not self.checks:
            return rubric
        named = {check.id: _names(check) for check in rubric.checks}
        chosen = set(_chosen("check", self.checks, named))
        checks = tuple(check for check in rubric.checks if check.id in chosen)
        faults = {check: reason for check, reason in rubric.faults.items() if check in chosen}
        return Rubric(rubric.gradable, checks, faults)

    def of(self, mutants: Mutants) -> Mutants:
        """The selected mutants by question. Raises RequestError for a mutant that does not exist."""
        if not self.mutants:
            return mutants
        every = [mutant for found in mutants.values() for mutant in found]
        named = {mutant.label: (mutant.label, mutant.name) for mutant in every}
        chosen = set(_chosen("mutant", self.mutants, named))
        return {
            question: tuple(mutant for mutant in found if mutant.label in chosen) for question, found in mutants.items()
        }


def _names(check: Check) -> tuple[str, ...]:
    return check.id, check.short_id, check.name, check.name.removeprefix("test_")


def _chosen(noun: str, asked: Iterable[str], named: Mapping[str, Sequence[str]]) -> list[str]:
    """The keys that are asked for by one of their names, or by a prefix that only one of them has."""
    return [_one(noun, text, named) for text in asked]


def _one(noun: str, text: str, named: Mapping[str, Sequence[str]]) -> str:
    exact = [key for key, names in named.items() if text in names]
    found = exact or [key for key, names in named.items() if text and any(name.startswith(text) for name in names)]
    if len(found) == 1:
        return found[0]
    if found:
        raise RequestError(f"{printable(text)} may be the {noun} {', '.join(found)}: write more of its id")
    near = did_you_mean(text, [name for names in named.values() for name in names])
    raise RequestError(f"there is no {noun} {printable(text)} in what is verified.{near}")
