"""Renames a student, or removes one, in the gradebook and on the pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gradetape.errors import ConfigError, CourseError, GradebookError, RequestError
from gradetape.grading.results import Results
from gradetape.intake.names import alike, clean
from gradetape.records import AuditEntry
from gradetape.report import has_pages, remove_pages
from gradetape.text import few, one_line, printable

_NAME = 60


class StudentChange(msgspec.Struct, frozen=True):
    """A student who was renamed or removed, the assignments concerned, and warnings in sentences."""

    entry: AuditEntry
    assignments: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class KnownStudent(msgspec.Struct, frozen=True):
    """A student of the gradebook, by the name in it, with the assignments and the files that count."""

    name: str
    assignments: tuple[str, ...]
    files: tuple[str, ...]


def known_student(results: Results, student: str) -> KnownStudent:
    """What the gradebook has of a student; raises GradebookError, with the nearest name, if it has nothing.

    The whole name or id is needed: nobody is removed or renamed by a part of either. Where grading was interrupted,
    there may be written answers alone, which are known by the name.
    """
    try:
        found = results.find_student(student, results.assignments(), parts=False)
    except GradebookError:
        if answered := results.book.answered(student):
            return KnownStudent(printable(student), tuple(answered), ())
        raise
    names = tuple(name for name, _ in found)
    return KnownStudent(found[0][1].student, names, tuple(record.file for _, record in found))


def forget(
    results: Results, folder: Path, student: KnownStudent, by: str, *, options: Sequence[str] = ()
) -> StudentChange:
    """Removes everything of a student from the gradebook, then from the pages in a folder.

    `options` are those of `gradetape grade` for this gradebook, for the commands on the pages.
    """
    entry = results.book.forget_student(student.name, by)
    warnings = [*_pages(results, folder, student, options), *_left(results, folder, student)]
    return StudentChange(entry, student.assignments, tuple(warnings))


def rename(
    results: Results, folder: Path, student: KnownStudent, new: str, by: str, *, options: Sequence[str] = ()
) -> StudentChange:
    """Gives a student another name; raises RequestError if that is empty, the present one, or somebody's.

    `options` are those of `gradetape grade` for this gradebook, for the commands on the pages.
    """
    name = clean(new)
    if not new.strip():
        raise RequestError("the new name is empty: write the name that the student gets")
    if printable(name) == printable(student.name):
        raise RequestError(f"the student's name is {one_line(name)!r} already. Write the name to give instead of it")
    others = {each.student for of in results.assignments() for each in results.book.counting(of)} - {student.name}
    if taken := [each for each in others if alike(each) == alike(name)]:
        raise RequestError(
            f"the gradebook has {one_line(taken[0])!r} already, and two people cannot share a name. Choose another name"
        )
    entry = results.book.rename_student(student.name, name, by)
    return StudentChange(entry, student.assignments, tuple(_pages(results, folder, student, options)))


def _pages(results: Results, folder: Path, student: KnownStudent, options: Sequence[str]) -> list[str]:
    """Removes a student's pages, and writes all others, since those of neighbours link to them; returns warnings."""
    warnings = list[str]()
    for name in student.assignments:
        if not has_pages(folder, name):
            continue
        remove_pages(folder, name, student.name)
        try:
            warnings += results.write_pages(name, folder, options=options).warnings
        except (CourseError, ConfigError) as error:
            warnings.append(f"The pages about everybody in {name} still have the student, since they cannot be written "
                            f"again: {error}. Remove them: {folder}/staff/{name}")  # fmt: skip
    return warnings


def _left(results: Results, folder: Path, student: KnownStudent) -> Iterator[str]:
    """Where a removed student may still stand."""
    if naming := sorted(results.book.naming([student.name, *student.files])):
        yield (
            f"The reasons why files of others cannot be graded still name the student: "
            f"{few(one_line(each, _NAME) for each in naming)}. Forget these too, and grade their files again."
        )
    if copies := sorted(path.name for path in folder.glob("*.bak")):
        yield f"Copies of older gradebooks in {folder} still hold the student: {few(copies)}. Delete them."
