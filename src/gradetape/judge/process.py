"""What the judge server knows of a child that judges a job, and until when it waits for it."""

from __future__ import annotations

import math
import time
from contextlib import suppress

import pytest

from gradetape.judge.items import check_of
from gradetape.judge.messages import Began, GoOn, RunJob
from gradetape.judge.transcript import Transcript
from gradetape.wire.message_channel import MessageChannel

_GRACE_S = 3.0


class JudgeProcess:
    """A forked judge of one job, begun at `since`: its remaining items, and the deadline of its check.

    The transcript is that of the whole job. Large because it holds everything that the server knows about a child.
    """

    def __init__(
        self,
        request: RunJob,
        items: list[pytest.Item],
        pid: int,
        channel: MessageChannel,
        since: float,
        transcript: Transcript,
    ) -> None:
        self.request, self.items, self.pid, self.channel, self.since = request, items, pid, channel, since
        self.transcript = transcript
        self.current: int | None = None
        self.judged = 0
        self.kill_at = self._without_check
        self.overdue = False
        self.finished = self.cancelled = False
        self.waits = False

    @property
    def stage(self) -> int:
        """The index of the current check, or of the one that is being prepared."""
        return self.judged if self.current is None else self.current

    @property
    def _without_check(self) -> float:
        """The deadline while no check runs."""
        return time.monotonic() + self.request.job.limits.submission_s + 60

    def begin(self, message: Began) -> bool:
        """A check has begun; returns whether it is hidden."""
        self.current = message.index
        self.kill_at = time.monotonic() + message.seconds + _GRACE_S
        hidden = not check_of(self.items[message.index]).public
        if hidden:
            self.transcript.begin_hidden()
        return hidden

    def end_check(self) -> None:
        """A check has its result."""
        self.judged, self.current = self.stage + 1, None
        self.kill_at = self._without_check

    def wait(self) -> None:
        """It waits for other parts of the submission, which have limits of their own."""
        self.waits, self.kill_at = True, math.inf

    def go_on(self) -> None:
        """Its hidden checks may begin; from now on its cells tell nothing new, also if they have not run yet."""
        self.waits, self.kill_at = False, self._without_check
        self.transcript.add_load(())
        with suppress(OSError):  # if it has just died, its channel says so
            self.channel.send(GoOn())
