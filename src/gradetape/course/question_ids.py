"""A question as a person names it: by its id, or by a prefix of it that is unique."""

from __future__ import annotations

from gradetape.course.assignments import Assignment
from gradetape.course.config import did_you_mean
from gradetape.errors import RequestError
from gradetape.text import printable


def resolve(text: str, *assignments: Assignment) -> str:
    """The id of the question that is meant, such as `q06_streaming_metric` for `q06`.

    Raises RequestError, with the nearest id, where none of the assignments has it, or where several ids begin so.
    """
    ids = list(dict.fromkeys(each for assignment in assignments for each in assignment.question_ids))
    if text in ids:
        return text
    matches = [each for each in ids if text and each.startswith(text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise RequestError(f"{printable(text)} is a prefix of {', '.join(matches)}: write more of the id")
    near = did_you_mean(text, ids)
    known = "; ".join(f"{each.name} has {', '.join(each.question_ids)}" for each in assignments)
    raise RequestError(f"there is no question {printable(text)}.{near} {known}")
