"""The only way on which the words of a submission's own code reach its student.

Every event of a cell and every message of a check passes through a `Transcript`. It belongs to the judge server, which
never runs a check, and lives as long as the job: whichever judge child or worker is at work, lost or replaced, it
decides by what has happened in the whole job. It tells

- the events of the submission's first load, when no check has given it an input yet; of any later load only which cells
  were quarantined, in words of its own;
- what the code says in public checks, until the first hidden check begins;
- nothing new if the submission is judged again: then only what it said the first time.

All of it together has a limit.
"""

from __future__ import annotations

import html

from msgspec.structs import replace

from gradetape.records import CellEvent, CheckResult, Said
from gradetape.remote.loader import AGAIN

_MAX_CHARACTERS = 1 << 18


class Transcript:
    """What the student reads of a job: `events` of the cells, and the messages of the results that `tell` returns."""

    def __init__(self, said: Said | None = None) -> None:
        self.events: tuple[CellEvent, ...] = said.events if said else ()
        self._loaded = self._closed = said is not None
        self._earlier = {result.check.id: result for result in said.results} if said else {}
        self._left = _MAX_CHARACTERS

    def add_load(self, events: tuple[CellEvent, ...]) -> None:
        """The events of a load: those of the first one are told; of a later one, which other cells were quarantined."""
        if not self._loaded:
            self.events, self._loaded = events, True
            return
        told = {event.cell for event in self.events if event.kind == "quarantined"}
        new = {event.cell: event for event in events if event.kind == "quarantined" and event.cell not in told}
        self.events += tuple(replace(event, text=AGAIN) for event in new.values())

    def begin_hidden(self) -> None:
        """A hidden check begins: whatever the code says from now on, it may have seen hidden inputs."""
        self._closed = True

    def tell(self, result: CheckResult, said: str) -> CheckResult:
        """The result with the message for the student: what the code said if that may be told, else the grader's
        words."""
        earlier = self._earlier.get(result.check.id)
        if earlier is not None and earlier.verdict is result.verdict:
            return replace(result, message=earlier.message)
        size = len(html.escape(said))
        if not said or self._closed or not result.check.public or size > self._left:
            return result
        self._left -= size
        return replace(result, message=said)
