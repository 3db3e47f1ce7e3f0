"""One batch's view of a gradebook that several graders share: claims, heartbeats and records."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from enum import StrEnum

from gradetape.errors import GradebookError
from gradetape.gradebook import Gradebook, Grader, NewAttempt, QuestionResult
from gradetape.gradebook.claims import HEARTBEAT_S
from gradetape.grading.composition import GradedSubmission
from gradetape.grading.events import GraderJoined, Listener
from gradetape.grading.question_keys import QuestionKey
from gradetape.records import Grade


class Claim(StrEnum):
    """Who may judge a submission."""

    MINE = "mine"
    OTHERS = "others"


class SharedGradebook:
    """One assignment in a gradebook, written by this grader; with `again`, graded submissions are graded again.

    `taken_over` counts the grades that another grader recorded in the meantime, `composed` those for which nothing
    had to run.
    """

    def __init__(self, book: Gradebook, assignment: str, me: Grader, listener: Listener, *, again: bool) -> None:
        self._book = book
        self._assignment = assignment
        self._me = me
        self._listener = listener
        self._again = again
        self._others: set[str] = set()
        self._last_heartbeat = time.monotonic()
        self.taken_over = 0
        self.composed = 0

    def claim(self, works: Iterable[tuple[str, str]]) -> list[Grade | Claim]:
        """Claims submissions, by student and key; returns who has each, or its grade if another grader recorded one."""
        found = self._book.claim_each(self._me, self._assignment, works, again=self._again)
        return [self._claimed(each) for each in found]

    def _claimed(self, found: Grade | Grader) -> Grade | Claim:
        if isinstance(found, Grade):
            self.taken_over += 1
            return found
        if found is self._me:
            return Claim.MINE
        if found.token not in self._others:
            self._others.add(found.token)
            self._listener(GraderJoined(found))
        return Claim.OTHERS

    def stored(
        self, submissions: Iterable[Sequence[QuestionKey]], asked: Collection[str]
    ) -> list[tuple[QuestionResult, ...]]:
        """The results of these submissions' questions that need no run, for each submission.

        To grade again, those of the questions that are `asked` for must be newer than this grader.
        """
        each_keys, since = list(submissions), self._me.since_result if self._again else 0
        keys = [key for some in each_keys for key in some]
        again = {key.digest for key in keys if key.question in asked} if since else set[str]()
        found = self._book.question_results(key.digest for key in keys if key.digest not in again)
        if again:
            found |= self._book.question_results(again, since)
        return [tuple(found[key.digest] for key in some if key.digest in found) for some in each_keys]

    def record(self, graded: Sequence[GradedSubmission]) -> None:
        """Adds grades and their new results in one transaction, which also releases their claims."""
        new = [NewAttempt(each.grade, each.results, each.composed_of) for each in graded]
        self._book.record_each(new, self._assignment, force=self._again, grader=self._me)

    def heartbeat(self) -> None:
        """Sends a heartbeat if it is time for one."""
        if time.monotonic() > self._last_heartbeat + HEARTBEAT_S:
            self._last_heartbeat = time.monotonic()
            self._book.heartbeat(self._me)

    def release(self) -> None:
        """Releases every claim; once this process has ended, they are free anyway."""
        with suppress(GradebookError):
            self._book.release(self._me)
