"""What a grade says about the checks and takes from files: it is read anew for every grade."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path

import msgspec

from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.course.quotations import QUOTED, quotations
from gradetape.course.requirements import Requirement, requirements_of
from gradetape.grading.question_keys import QuestionKeys
from gradetape.records import Check, CheckResult, Submission, Verdict
from gradetape.text import shell_word

_REMEMBERED = 4096


class CheckWords:
    """Sentences of the prompts, commands for staff, and a digest of what is read of an assignment's checks."""

    def __init__(self, gradable: GradableAssignment, keys: QuestionKeys) -> None:
        self._gradable = gradable
        self._keys = keys
        self._sentences = lru_cache(maxsize=_REMEMBERED)(self._sentences_of)
        self._node = lru_cache(maxsize=_REMEMBERED)(self._node_of)

    def added(self, submission: Submission, results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        """Adds what the prompts say, and the command that runs a check alone, to the checks that did not pass."""
        file = shell_word(self._from_root(submission.file))
        return tuple(
            result if result.verdict is Verdict.PASSED else self._with_words(result, file) for result in results
        )

    def _with_words(self, result: CheckResult, file: str) -> CheckResult:
        command = f"pytest {self._node(result.check)} --submission {file}"
        if result.verdict not in QUOTED:
            return msgspec.structs.replace(result, command=command)
        return msgspec.structs.replace(result, command=command, sentences=self._sentences(result.check))

    def _sentences_of(self, check: Check) -> tuple[str, ...]:
        return quotations(self._requirements[check.question], check.requirements)

    def _node_of(self, check: Check) -> str:
        """A check as pytest names it in the course's folder."""
        name = self._gradable.assignment.name
        hidden = f"autograder/{name}/test_{check.question}.py"
        path = f"assignments/{name}/{check.question}/test_public.py" if check.public else hidden
        # A check that represents an unreadable file has the file's name.
        return shell_word(path if path.endswith(f"/{check.name}") else f"{path}::{check.name}")

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
