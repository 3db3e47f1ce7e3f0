"""The result of a verification, and whether it proves the checks."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from gradetape.verify.evidence import Evidence
from gradetape.verify.plain import as_plain
from gradetape.verify.problems import notes_of, problems_of


class Proof(Evidence, frozen=True, kw_only=True, dict=True):
    """The proof of an assignment's checks, or the problems that are left."""

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """The problems that stand in the way of a proof."""
        return tuple(problems_of(self))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What an author should know, though it stands in the way of nothing."""
        return tuple(notes_of(self))

    @property
    def ok(self) -> bool:
        """Whether the checks are proven; if only a part was asked for, whether that part has no problem."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """The output of `verify --json`, as plain data."""
        head = {"assignment": self.assignment, "ok": self.ok}
        return {**head, **as_plain(self), "notes": list(self.notes)}
