"""Builds grades from outcomes."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.course.quotations import with_sentences
from gradetape.course.requirements import Requirement, requirements_of
from gradetape.grading.digests import digest_of
from gradetape.grading.rubric import Rubric
from gradetape.records import Check, CheckResult, Environment, Grade, Outcome, Status, Submission, Verdict
from gradetape.text import shell_word


class GradeBuilder:
    """Builds grades from outcomes, and the key of a submission in this assignment and environment.

    With `question`, a grade covers that question alone.
    """

    def __init__(self, gradable: GradableAssignment, environment: Environment, *, question: str | None = None) -> None:
        self._gradable = gradable
        self._question_ids = (question,) if question else gradable.assignment.question_ids
        self._environment = environment

    def key(self, submission: Submission) -> str:
        """The digest of everything that decides the result: the submission, the checks, the environment and the
        policy."""
        return digest_of([submission.sha256, submission.student, self._basis])

    def grade(self, rubric: Rubric, submission: Submission, outcome: Outcome) -> Grade:
        """The grade of a judged submission; with a fault, it needs attention."""
        found = rubric.complete(outcome.results)
        attention = tuple(_fault_message(result) for result in found if result.verdict is Verdict.FAULT)
        results = tuple(self._with_advice(submission, result) for result in found)
        return self._made(submission, outcome, results=results, attention=attention)

    def lost(self, rubric: Rubric, submission: Submission, reason: str) -> Grade:
        """A grade without results, which is never final."""
        attention = (f"the grader's infrastructure failed twice, the second time after a restart: {reason}",)
        return self._made(submission, Outcome(results=()), results=rubric.complete(()), attention=attention)

    def _made(
        self, submission: Submission, outcome: Outcome, *, results: tuple[CheckResult, ...], attention: tuple[str, ...]
    ) -> Grade:
        assignment = self._gradable.assignment
        return Grade(
            assignment=assignment.name, student=submission.student, file=submission.file, sha256=submission.sha256,
            key=self.key(submission), status=Status.NEEDS_ATTENTION if attention else Status.GRADED,
            isolation=self._environment.isolation, results=results, events=outcome.events, notes=submission.notes,
            attention=attention, layers=outcome.layers, devices=outcome.devices, seconds=outcome.seconds,
            questions=tuple(question for question in assignment.questions if question.id in self._question_ids),
            review=outcome.review, versions=self._environment.versions | outcome.versions, modified=submission.modified,
            origin=submission.origin,
        )  # fmt: skip

    def _with_advice(self, submission: Submission, result: CheckResult) -> CheckResult:
        """Adds what the prompt says and the command that runs this check alone, if it did not pass."""
        if result.verdict is Verdict.PASSED:
            return result
        quoting = with_sentences(result, self._requirements[result.check.question])
        return msgspec.structs.replace(quoting, command=self._command(submission, result.check))

    def _command(self, submission: Submission, check: Check) -> str:
        """The command that runs a check alone, from the course's folder."""
        name = self._gradable.assignment.name
        hidden = f"autograder/{name}/test_{check.question}.py"
        path = f"assignments/{name}/{check.question}/test_public.py" if check.public else hidden
        # A check that represents an unreadable file has the file's name.
        node = path if path.endswith(f"/{check.name}") else f"{path}::{check.name}"
        file = shell_word(self._from_root(submission.file))
        return f"pytest {shell_word(node)} --submission {file}"

    def _from_root(self, file: str) -> str:
        """A file's path relative to the course's folder, or absolute if it is outside."""
        path, root = Path(os.path.abspath(file)), self._gradable.course.root
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)

    @cached_property
    def _requirements(self) -> dict[str, tuple[Requirement, ...]]:
        """What the prompts ask for, by question id."""
        sources = self._gradable.assignment.question_sources
        return {
            source.question.id: requirements_of(source.prompt.read_text(encoding="utf-8-sig")) for source in sources
        }

    @cached_property
    def _basis(self) -> str:
        gradable = self._gradable
        config = gradable.course.config
        files = [path.read_bytes().hex() for path in gradable.check_files]
        cells = [cell.source for cell in gradable.reference]
        asked = [f"{name}={question_id}" for name, question_id in sorted(gradable.names_asked.items())]
        settings = [self._environment.identity, str(config.keras), msgspec.json.encode(config.limits.record()).decode()]
        versions = [f"{name}={number}" for name, number in sorted(self._environment.versions.items())]
        seed = gradable.answer_key.seed().hex()
        return digest_of(
            [gradable.assignment.name, seed, *self._question_ids, *files, *cells, *asked, *settings, *versions]
        )


def _fault_message(result: CheckResult) -> str:
    why = result.staff_message.strip().partition("\n")[0] or "the grader could not judge it"
    return f"{result.check.id}: {why}"
