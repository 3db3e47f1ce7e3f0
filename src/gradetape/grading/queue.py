"""The order of work in a batch: a stream of submissions, a waiting list, and retries."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from gradetape.gradebook import QuestionResult
from gradetape.records import Lost, Outcome, Said, Submission

Stream = Iterable[Submission | None]


@dataclass
class Pending:
    """A submission without a grade.

    `starts` counts how often it was given to the engine. `deadline` is when the driver stops waiting for it,
    `not_before` when it may be tried again, both in seconds of `time.monotonic()`. `retried`: its retry has begun;
    `alone`: nothing else is judged at the same time. `said` is what its code said before the retry, if it had
    met a hidden check by then. `stored` are its question results that need no run; `digests` are of those that do.
    `jobs` are the numbers of the jobs that judge it, and `ended` how they have ended.
    """

    submission: Submission
    starts: int = 0
    deadline: float = 0.0
    not_before: float = 0.0
    retried: bool = False
    alone: bool = False
    said: Said | None = None
    stored: tuple[QuestionResult, ...] = ()
    digests: frozenset[str] = frozenset()
    jobs: tuple[int, ...] = ()
    ended: dict[int, Outcome | Lost] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether it may be tried now."""
        return self.not_before <= time.monotonic()


class WorkQueue:
    """Submissions in the order of their stream; retries come after the stream has ended.

    The stream may stay open: it yields None while there is nothing, and ends when nothing more will come. Of a
    student's submissions the newest counts: one that arrives replaces an older one that waits.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = iter(stream)
        self._open = True
        self._waiting: deque[Pending] = deque()
        self._retries: list[Pending] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def done(self) -> bool:
        """Whether nothing is left and nothing more will come."""
        return not (self._open or self._waiting or self._retries)

    @property
    def next(self) -> Pending:
        """The first waiting submission."""
        return self._waiting[0]

    def refill(self, count: int) -> list[Submission]:
        """Takes from the stream until `count` submissions are ready, or the stream has nothing now.

        Returns the older submissions that were replaced.
        """
        replaced: list[Submission] = []
        missing = count - sum(pending.ready for pending in self._waiting)
        while missing > 0 and (submission := self._arrived()) is not None:
            replaced += self._replace(submission)
            missing -= 1
        return replaced

    def take(self) -> Pending:
        """Removes and returns the first waiting submission."""
        return self._waiting.popleft()

    def put_back(self, pending: Pending, *, first: bool = False) -> None:
        """Lets a submission wait again."""
        (self._waiting.appendleft if first else self._waiting.append)(pending)

    def retry_later(self, pending: Pending, *, alone: bool) -> None:
        """Keeps a submission for its retry."""
        pending.retried, pending.alone = True, alone
        self._retries.append(pending)

    def has_newer(self, student: str) -> bool:
        """Whether another submission of the student waits."""
        return any(pending.submission.student == student for pending in self._waiting)

    def begin_retries(self) -> bool:
        """Begins the retries and returns whether there are any; those judged alone come last."""
        self._waiting.extend(sorted(self._retries, key=lambda pending: pending.alone))
        began, self._retries = bool(self._retries), []
        return began

    def _arrived(self) -> Submission | None:
        """The next submission of the stream, or None if there is none now."""
        try:
            return next(self._stream) if self._open else None
        except StopIteration:
            self._open = False
            return None

    def _replace(self, submission: Submission) -> list[Submission]:
        """Lets a submission wait; returns the older ones of its student, which wait no longer."""
        older = [each for each in (*self._waiting, *self._retries) if each.submission.student == submission.student]
        if older:
            self._waiting = deque(each for each in self._waiting if each not in older)
            self._retries = [each for each in self._retries if each not in older]
        self._waiting.append(Pending(submission))
        return [each.submission for each in older]
