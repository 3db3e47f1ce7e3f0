"""What a grade says about the checks and takes from files: it is read anew for every grade."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

import msgspec

from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.course.quotations import with_sentences
from gradetape.course.requirements import Requirement, requirements_of
from gradetape.grading.question_keys import QuestionKeys
from gradetape.records import Check, CheckResult, Submission, Verdict
from gradetape.text import shell_word


class CheckWords:
    """Sentences of the prompts, commands for staff, and a digest of what is read of an assignment's checks."""

    def __init__(self, gradable: GradableAssignment, keys: QuestionKeys) -> None:
        self._gradable = gradable
        self._keys = keys

    def added(self, submission: Submission, result: CheckResult) -> CheckResult:
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
    def digest(self) -> str:
        """The digest of all of it: it changes a grade, and nothing has to run for it."""
        assignment = self._gradable.assignment
        questions = [f"{each.id} {each.points!r} {each.title}" for each in assignment.questions]
        checks = [self._keys.codes[each].written for each in assignment.question_ids]
        quoted = [f"{each.id} {each.text}" for found in self._requirements.values() for each in found]
        return digest_of([assignment.name, *questions, *checks, *quoted])
