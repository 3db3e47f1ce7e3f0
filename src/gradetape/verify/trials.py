"""What a solution that was run did."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gradetape.records import CheckResult, Verdict

HELD = (Verdict.PASSED, Verdict.SKIPPED)


def short(check_id: str) -> str:
    """The id of a check within its question."""
    return check_id.split("::", 1)[1]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One solution that was run: its kind, its question (None for the whole assignment), and its results.

    `unloaded` holds, by question id, the reason why the cells of a question did not run. Of a mutant, `expected` holds
    the ids of the checks that must fail, `possible` those that may fail or pass, `breaks` the requirements that it
    violates, `misconception` what it gets wrong, and `place` where it is written.
    """

    kind: str
    name: str
    question: str | None
    results: tuple[CheckResult, ...]
    expected: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    unloaded: Mapping[str, str] = {}
    breaks: tuple[str, ...] = ()
    misconception: str = ""
    place: str = ""

    @property
    def label(self) -> str:
        """Its name in messages."""
        name = f"{self.question}/{self.name}" if self.question else self.name
        return name if name == self.kind else f"{self.kind} {name}"

    @property
    def points(self) -> float:
        """The points of its results."""
        return sum(result.points for result in self.results)

    @property
    def failed(self) -> tuple[str, ...]:
        """The ids of the checks that it failed."""
        return tuple(result.check.id for result in self.results if result.verdict not in HELD)

    @property
    def passed(self) -> tuple[str, ...]:
        """The ids of the checks that it passed."""
        return tuple(result.check.id for result in self.results if result.verdict in HELD)

    @property
    def missed(self) -> tuple[str, ...]:
        """The ids of the checks that its header names and that it passed; skipped checks do not count."""
        skipped = {result.check.id for result in self.results if result.verdict is Verdict.SKIPPED}
        return tuple(sorted(set(self.expected) - set(self.failed) - skipped))

    @property
    def surprise(self) -> bool:
        """Whether the failed checks differ from those that its header names."""
        return bool(self.missed) or not set(self.failed) <= {*self.expected, *self.possible}

    @property
    def conclusive(self) -> tuple[CheckResult, ...]:
        """The results of the questions whose cells ran."""
        return tuple(result for result in self.results if result.check.question not in self.unloaded)
