"""Finds a student by any part of the name, or of what a platform knows the person by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gradetape.errors import GradebookError
from gradetape.records import Grade, Unreadable
from gradetape.text import did_you_mean, few_lines, one_line, plain, printable


def student_named(text: str, records: Iterable[Grade | Unreadable], *, parts: bool = True) -> str:
    """The name of the one student whom a text means: the exact name, else an id, login or email, else a part of these.

    Capitals and accents do not count, except that an exact name always wins. Several words may be in any order. Without
    `parts`, a part is not enough. Raises GradebookError, with all students who fit, or with the nearest name if none
    does.
    """
    known = _known_by(records)
    for fits in (_is_the_name, _is_known_by, *([_is_part] if parts else [])):
        found = [name for name, texts in known.items() if fits(text, (name, *texts))]
        if len(found) == 1:
            return found[0]
        if found:
            raise GradebookError(_several(text, found, known))
    near = did_you_mean(text, known)
    raise GradebookError(
        f"The gradebook has no student {one_line(text)!r}.{near} List all students: gradetape export csv"
    )


def _known_by(records: Iterable[Grade | Unreadable]) -> dict[str, tuple[str, ...]]:
    """The ids, logins and emails of every student, by name."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        origin = record.origin
        texts = (origin.id, origin.login, origin.email) if origin else ()
        found.setdefault(record.student, {}).update(dict.fromkeys(filter(None, texts)))
    return {name: tuple(texts) for name, texts in found.items()}


def _is_the_name(text: str, texts: Sequence[str]) -> bool:
    return printable(texts[0]) == printable(text)


def _is_known_by(text: str, texts: Sequence[str]) -> bool:
    return plain(text) in map(plain, texts)


def _is_part(text: str, texts: Sequence[str]) -> bool:
    words, whole = plain(text).split(), plain(" ".join(texts))
    return bool(words) and all(word in whole for word in words)


def _several(text: str, found: Sequence[str], known: Mapping[str, Sequence[str]]) -> str:
    lines = (f"{name} ({', '.join(known[name])})" if known[name] else name for name in found)
    first = f"{one_line(text)!r} fits {len(found)} students. Write more of the name, or an id:"
    return "\n".join((first, *few_lines(lines)))
