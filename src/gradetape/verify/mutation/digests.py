"""Digests of everything that decides how a mutant ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from gradetape.course.check_code import CheckCode, codes_of
from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.grading.question_keys import QuestionKeys
from gradetape.records import Environment

LOADING = "loading"


class Keys:
    """The keys under which the verdicts of an assignment's checks are remembered.

    A key is a digest of the solution's text, the check's code, the reference if the check uses it, the files of the
    assignment that lie beside a notebook, the seed, the Keras generation, the limits, the versions of the software, and
    gradetape's own code that runs checks.
    """

    def __init__(self, gradable: GradableAssignment, environment: Environment) -> None:
        self._gradable = gradable
        self._questions = QuestionKeys(gradable, environment)

    @cached_property
    def codes(self) -> Mapping[str, CheckCode]:
        """The code of every check, by the check's id."""
        return codes_of(self._gradable)

    @cached_property
    def assignment(self) -> str:
        """The key of the list of checks: it changes with any check file."""
        texts = [path.read_text(encoding="utf-8-sig") for path in self._gradable.check_files]
        return digest_of([self._basis, *texts])

    def pair(self, question_id: str, cells: Iterable[str], check_id: str) -> str:
        """The key of a solution and a check, or of whether the solution's cells run (LOADING)."""
        parts = [self._basis, question_id, check_id, digest_of(cells)]
        if (code := self.codes.get(check_id)) is not None:
            parts += [code.digest, self._questions.reference if "reference" in code.fixtures else ""]
        return digest_of(parts)

    @cached_property
    def _basis(self) -> str:
        return digest_of(f"{name}={part}" for name, part in sorted(self._questions.circumstances.items()))
