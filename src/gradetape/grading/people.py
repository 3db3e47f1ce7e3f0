"""The same person under the same name in every batch: ids of platforms are compared with those in the gradebook.

Two people may have one name. The first in the gradebook keeps it, and the other one gets the id behind it, also when
they hand in at different times. Moodle's ids are of one assignment, all others of the whole course.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from gradetape.errors import RequestError
from gradetape.gradebook import Gradebook, KnownPerson
from gradetape.grading.selection import Selection
from gradetape.records import Submission, Unreadable
from gradetape.text import one_line, printable

PersonId = tuple[str, str]  # the layout and the id
_OF_ONE_ASSIGNMENT = ("moodle",)
_Result = TypeVar("_Result", Submission, Unreadable, KnownPerson)


def under_known_names(book: Gradebook, selection: Selection) -> Selection:
    """The submissions under the names that their people have in the gradebook.

    Raises GradebookError, and RequestError if two of them would have one name.
    """
    results: list[Submission | Unreadable] = [*selection.submissions, *selection.unreadable]
    if not any(map(_id_of, results)):
        return selection
    names = _names_by_id(_people(book), selection.assignment)
    ids = {name: found for found, name in names.items()}
    submissions = tuple(_named(each, names, ids) for each in selection.submissions)
    unreadable = tuple(_named(each, names, ids) for each in selection.unreadable)
    renamed: list[Submission | Unreadable] = [*submissions, *unreadable]
    _refuse_doubles([each.student for each in renamed], [each.student for each in results])
    return msgspec.structs.replace(selection, submissions=submissions, unreadable=unreadable)


def names_when_merged(book: Gradebook, others: Sequence[Gradebook]) -> Iterator[dict[tuple[str, str], str]]:
    """For each gradebook that is merged into `book`, the new names of students, by assignment and name.

    A student whose id is known gets the known name, and one whose name another person has the id behind it. Raises
    GradebookError, and RequestError if two students of one gradebook would have one name.
    """
    people = _people(book)
    for other in others:
        renamed: dict[tuple[str, str], str] = {}
        for assignment, own in _people(other).items():
            names = _names_by_id(people, assignment)
            ids = {name: found for found, name in names.items()}
            joined = [_named(each, names, ids) for each in own]
            _refuse_doubles([each.student for each in joined], [each.student for each in own])
            pairs = zip(own, joined, strict=True)
            renamed |= {(assignment, printable(old.student)): new.student for old, new in pairs if old != new}
            people[assignment] = [*people.get(assignment, ()), *joined]
        yield renamed


def _people(book: Gradebook) -> dict[str, list[KnownPerson]]:
    return {name: book.people(name) for name in book.assignments()}


def _refuse_doubles(names: Sequence[str], before: Sequence[str]) -> None:
    """Raises RequestError if people who had different names have one name now."""
    for name, count in Counter(names).items():
        if count > 1 and count > Counter(before)[name]:
            raise RequestError(
                f"{count} submissions are of {one_line(name)!r}: one by its id, which the gradebook has under this "
                "name, another by its own name. Grade them one by one, and name the students with --student"
            )


def _names_by_id(people: Mapping[str, Sequence[KnownPerson]], assignment: str) -> dict[PersonId, str]:
    found: dict[PersonId, str] = {}
    for name in sorted(people, key=lambda each: each == assignment):
        for person in people[name]:
            known = _id_of(person)
            if known and (name == assignment or known[0] not in _OF_ONE_ASSIGNMENT):
                found[known] = person.student
    return found


def _named(result: _Result, names: Mapping[PersonId, str], ids: Mapping[str, PersonId]) -> _Result:
    own = _id_of(result)
    if own is None:
        return result
    if own in names:
        return _renamed(result, names[own])
    other = ids.get(result.student)
    if other is None or other[0] != own[0]:
        return result
    return _renamed(result, f"{result.student} ({own[1]})")


def _renamed(result: _Result, student: str) -> _Result:
    return msgspec.structs.replace(result, student=student)


def _id_of(record: KnownPerson | Unreadable | Submission) -> PersonId | None:
    origin = record.origin
    return (origin.layout, origin.known_by) if origin and origin.known_by else None
