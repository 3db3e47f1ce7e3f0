"""Resolves a question id, or a unique prefix of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradetape.course.assignments import Assignment
from gradetape.errors import RequestError
from gradetape.text import did_you_mean, printable


def resolve(text: str, *assignments: Assignment) -> str:
    """The full id of a question with checks, such as `q06_streaming_metric` for `q06`.

    Raises RequestError, with the nearest id, if no assignment has it, if several ids have this prefix, or if it is a
    written question.
    """
    found = resolve_any(text, *assignments)
    if not any(found in each.question_ids for each in assignments):
        raise RequestError(
            f"{found} is a written question, which has no checks. A person marks it: gradetape mark STUDENT {found}, "
            "with --comment TEXT for what the student reads"
        )
    return found


def resolve_any(text: str, *assignments: Assignment) -> str:
    """The same for any question, also a written one; raises RequestError."""
    return resolve_among(text, {each.name: each.order for each in assignments})


def resolve_written(text: str, *assignments: Assignment) -> str:
    """The same for a written question; raises RequestError."""
    known = {each.name: [question.id for question in each.written] for each in assignments}
    if not any(known.values()):
        raise RequestError(
            f"{', '.join(known)} {'has' if len(known) == 1 else 'have'} no written question: give one kind: written in "
            "assignment.yml"
        )
    return resolve_among(text, {name: ids for name, ids in known.items() if ids})


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
