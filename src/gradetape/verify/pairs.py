"""The key of what a solution gets in a check: a digest of everything that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256

import msgspec

from gradetape.course.check_code import CheckCode, codes_of
from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.grading.question_keys import QuestionKeys
from gradetape.records import Check, Environment, Job
from gradetape.verify.watching import affected, watched

LOADING = "loading"


class PairKeys:
    """The keys under which results of pairs of a solution and a check are remembered.

    A key covers the solution's cells, the check's function and the code around it in its file, the reference if the
    check may use it, the seed, the limits, the Keras generation, the sandbox, the versions of the software, and
    gradetape's own code that judges. Comments, formatting, titles, hints and points are not in it.
    """

    def __init__(self, gradable: GradableAssignment, environment: Environment) -> None:
        self._gradable = gradable
        self._questions = QuestionKeys(gradable, environment)

    @cached_property
    def codes(self) -> Mapping[str, CheckCode]:
        """The code of every check that can be told from its file's text, by check id."""
        return codes_of(self._gradable)

    @property
    def checks(self) -> tuple[Check, ...]:
        """These checks, without their words and points."""
        return tuple(map(_check, self.codes))

    @cached_property
    def collection(self) -> str:
        """The key of the list of checks: it changes with a title, a hint or points too."""
        codes = self._questions.codes
        return digest_of([self._basis, *(f"{each} {codes[each].written}" for each in codes)])

    def of(self, job: Job) -> dict[str, str]:
        """The keys of a job's checks by check id, and of how its cells load; a check of unknown code has none."""
        how = msgspec.structs.replace(job, cells=(), reference=(), only=None)
        cells = [part for cell in job.cells for part in (cell.question or "", cell.source)]
        alike = digest_of([self._basis, sha256(msgspec.msgpack.encode(how)).hexdigest(), digest_of(cells)])
        checks = [check for check in job.only or () if check in self.codes]
        reference = [self._questions.reference] if job.liar or job.puppet else []
        keys = {check: digest_of([alike, check, *self._code(check), *reference]) for check in checks}
        return {LOADING: digest_of([alike, LOADING]), **keys}

    def _code(self, check: str) -> list[str]:
        uses = "reference" in self._questions.codes[check.split("::", 1)[0]].fixtures
        return [self.codes[check].digest, self._questions.reference if uses else ""]

    @cached_property
    def _basis(self) -> str:
        named = [f"{name}={part}" for name, part in sorted(self._questions.circumstances.items())]
        return digest_of([self._gradable.assignment.name, *named, *self._beside])

    @cached_property
    def _beside(self) -> list[str]:
        """The Python files that belong to no question: checks may read or import them."""
        found = (path for folder in watched(self._gradable) for path in sorted(folder.rglob("*.py")) if path.is_file())
        others = [path for path in found if affected(self._gradable, [path]) is None]
        return [f"{path.name} {sha256(path.read_bytes()).hexdigest()}" for path in others]


def _check(check_id: str) -> Check:
    question, kind, name = check_id.split("::", 2)
    return Check(question=question, name=name, public=kind == "public", title="", hint="", points=0)
