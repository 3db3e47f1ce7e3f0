"""Remembers the outcomes of jobs while neither the job nor the checks that judge it change."""

from __future__ import annotations

import hashlib

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.records import Job, Outcome


class Outcomes:
    """Outcomes by job.

    A job's key covers its code, its limits, the configuration, and the check files of the questions that it asks.
    """

    def __init__(self) -> None:
        self._known: dict[str, Outcome] = {}

    def of(self, gradable: GradableAssignment, job: Job) -> Outcome | None:
        """The outcome of a job, if it is known."""
        return self._known.get(_key(gradable, job))

    def keep(self, gradable: GradableAssignment, job: Job, outcome: Outcome) -> None:
        """Remembers a job's outcome."""
        self._known[_key(gradable, job)] = outcome

    def forget(self) -> None:
        """Forgets all: something has changed that no key covers."""
        self._known.clear()


def _key(gradable: GradableAssignment, job: Job) -> str:
    questions = {check.split("::", 1)[0] for check in job.only or ()}
    digest = hashlib.sha256(msgspec.msgpack.encode(job) + gradable.course.config.model_dump_json().encode())
    for source in gradable.assignment.question_sources:
        if source.question.id in questions:
            for path in (source.public_checks, gradable.answer_key.hidden_checks(source.question.id)):
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
