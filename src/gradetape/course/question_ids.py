"""Resolves a question id, or a unique prefix of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradetape.course.assignments import Assignment
from gradetape.course.config import did_you_mean
from gradetape.errors import RequestError
from gradetape.text import printable


def resolve(text: str, *assignments: Assignment) -> str:
    """The full id of a question, such as `q06_streaming_metric` for `q06`.

    Raises RequestError, with the nearest id, if no assignment has it, or if several ids have this prefix.
    """
    return resolve_among(text, {each.name: each.question_ids for each in assignments})


def resolve_among(text: str, known: Mapping[str, Sequence[str]]) -> str:
    """The same among the questions of each assignment, by its name; raises RequestError."""
    ids = list(dict.fromkeys(each for some in known.values() for each in some))
    if text in ids:
        return text
    matches = [each for each in ids if text and each.startswith(text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise RequestError(f"{printable(text)} is a prefix of {', '.join(matches)}: write more of the id")
    near = did_you_mean(text, ids)
    listed = "; ".join(f"{name} has {', '.join(some)}" for name, some in known.items())
    raise RequestError(f"there is no question {printable(text)}.{near} {listed}")
