"""Jobs that judge one submission at the same time: each says what its student may read before any gives hidden inputs.

A hidden check could tell the submission's process its inputs, and that process another one beside it, whose public
checks the student reads. So all jobs of a submission end their public checks before one of them begins a hidden check.
"""

from __future__ import annotations

from collections.abc import Collection

from gradetape.judge.messages import RunJob


class SilentParts:
    """Which jobs are silent, by the submission that they are parts of, and which of these have ended."""

    def __init__(self) -> None:
        self._silent: dict[str, set[int]] = {}
        self._ended: dict[str, set[int]] = {}

    def silence(self, request: RunJob) -> bool:
        """A job says nothing more; returns whether no part of its submission does."""
        part = request.job.part
        if part is None:
            return True
        silent = self._silent.setdefault(part.submission, set())
        silent.add(request.number)
        return len(silent) >= part.count

    def end(self, request: RunJob) -> bool:
        """A job has ended, and so says nothing more; forgets a submission of which every part has ended."""
        silent, part = self.silence(request), request.job.part
        if part is not None:
            ended = self._ended.setdefault(part.submission, set())
            ended.add(request.number)
            if len(ended) >= part.count:
                del self._silent[part.submission], self._ended[part.submission]
        return silent

    def drop(self, number: int, running: Collection[RunJob]) -> None:
        """A job is cancelled: forgets its submission if it has ended and no part of it runs: no other will come."""
        left = {each.job.part.submission for each in running if each.job.part is not None}
        for submission in [each for each, ended in self._ended.items() if number in ended and each not in left]:
            del self._silent[submission], self._ended[submission]
