"""Outcomes become grades."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from gradetape import tempdirs as tempdirs
from gradetape.course.gradable import GradableAssignment
from gradetape.grading.rubric import Rubric
from gradetape.records import (
    CheckResult,
    Grade,
    Outcome,
    Status,
    Submission,
    Verdict,
)
from gradetape.runtime.slots import Slots

_PACKAGES = ("gradetape", "tensorflow", "tensorflow-cpu", "keras", "tf-keras", "numpy", "pytest")


class GradeBuilder:
    """Makes grades of outcomes: knows the masters and the environment, and the key that they give a submission.

    `command` quotes a file's name for the command line that staff can paste.
    """

    def __init__(
        self, gradable: GradableAssignment, *, question: str | None, slots: Slots, command: Callable[[str], str] = str
    ) -> None:
        self._gradable = gradable
        self._question_ids = (question,) if question else gradable.assignment.question_ids
        self._slots = slots
        self._command = command

    def key(self, submission: Submission) -> str:
        """The digest of all that decides the result: the submission, the checks, the environment and the policy."""
        return _digest(submission.sha256, submission.student, self._basis)

    def grade(self, rubric: Rubric, submission: Submission, outcome: Outcome) -> Grade:
        """The grade of a judged submission; a fault makes it one that needs attention."""
        found = rubric.complete(outcome.results)
        attention = tuple(_fault_told(result) for result in found if result.verdict is Verdict.FAULT)
        results = tuple(self._with_command(submission, result) for result in found)
        return self._made(submission, outcome, results=results, attention=attention)

    def lost(self, rubric: Rubric, submission: Submission, reason: str) -> Grade:
        """A grade without results, which is never taken for a final one."""
        attention = (f"the grader's machinery failed twice, the second time newly started: {reason}",)
        return self._made(submission, Outcome(results=()), results=rubric.complete(()), attention=attention)

    def _made(
        self, submission: Submission, outcome: Outcome, *, results: tuple[CheckResult, ...], attention: tuple[str, ...]
    ) -> Grade:
        assignment = self._gradable.assignment
        return Grade(
            assignment=assignment.name, student=submission.student, file=submission.file, sha256=submission.sha256,
            key=self.key(submission), status=Status.NEEDS_ATTENTION if attention else Status.GRADED,
            isolation=self._slots.isolation, results=results, events=outcome.events, notes=submission.notes,
            attention=attention, layers=outcome.layers, devices=outcome.devices, seconds=outcome.seconds,
            questions=tuple(question for question in assignment.questions if question.id in self._question_ids),
            review=outcome.review, versions=self.versions | outcome.versions, modified=submission.modified,
        )  # fmt: skip

    def _with_command(self, submission: Submission, result: CheckResult) -> CheckResult:
        """Names the command that runs this check alone, in the course's folder, where it did not pass."""
        if result.verdict is Verdict.PASSED:
            return result
        check, name = result.check, self._gradable.assignment.name
        hidden = f"autograder/{name}/test_{check.question}.py"
        path = f"assignments/{name}/{check.question}/test_public.py" if check.public else hidden
        # A check that stands for a file that cannot be read bears the file's name.
        node = path if path.endswith(f"/{check.name}") else f"{path}::{check.name}"
        file = self._command(self._from_root(submission.file))
        return msgspec.structs.replace(result, command=f"pytest {self._command(node)} --submission {file}")

    def _from_root(self, file: str) -> str:
        """A file's path as it is from the course's folder, and whole where it lies outside."""
        path, root = Path(os.path.abspath(file)), self._gradable.course.root
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)

    @cached_property
    def versions(self) -> dict[str, str]:
        """The software that grades, by its name."""
        found = {"python": platform.python_version()}
        for name in _PACKAGES:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
        return found

    @cached_property
    def _basis(self) -> str:
        gradable = self._gradable
        config = gradable.course.config
        files = [path.read_bytes().hex() for path in gradable.check_files]
        cells = [cell.source for cell in gradable.reference]
        asked = [f"{name}={question_id}" for name, question_id in sorted(gradable.names_asked.items())]
        settings = [self._slots.identity, str(config.keras), msgspec.json.encode(config.limits.record()).decode()]
        versions = [f"{name}={number}" for name, number in sorted(self.versions.items())]
        return _digest(
            gradable.assignment.name,
            gradable.answer_key.seed().hex(),
            *self._question_ids,
            *files,
            *cells,
            *asked,
            *settings,
            *versions,
        )


def _fault_told(result: CheckResult) -> str:
    why = result.staff_message.strip().partition("\n")[0] or "the grader could not judge it"
    return f"{result.check.id}: {why}"


def _digest(*parts: str) -> str:
    return hashlib.sha256(
        "\0".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
    ).hexdigest()
