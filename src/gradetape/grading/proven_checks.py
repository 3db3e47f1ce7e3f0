"""Remembers, in the user's cache folder, which checks `gradetape verify` has proven as they are.

There is an empty file for each question, named by the digest of its checks' code: no text of a check or a solution.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gradetape.course.check_code import QuestionCode, question_codes
from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.files import cache_folder


def keep(gradable: GradableAssignment, question_ids: Iterable[str]) -> None:
    """Remembers that the checks of these questions are proven; nothing depends on it if the folder is read-only."""
    codes = question_codes(gradable)
    with suppress(OSError):
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        for question_id in question_ids:
            (_folder() / _name(gradable, question_id, codes[question_id])).touch()


def are_proven(gradable: GradableAssignment, question_id: str, code: QuestionCode) -> bool:
    """Whether `verify` has proven the checks of a question on this machine, for this user, as they are now."""
    return (_folder() / _name(gradable, question_id, code)).is_file()


def _name(gradable: GradableAssignment, question_id: str, code: QuestionCode) -> str:
    return digest_of([gradable.assignment.name, question_id, code.code])


def _folder() -> Path:
    return cache_folder() / "proven"
