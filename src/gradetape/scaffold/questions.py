"""Renames, removes and copies a question: in all folders of a course, in assignment.yml and in waivers.yml."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec

from gradetape.course.answer_key import WAIVERS
from gradetape.course.assignments import QUESTION_ID, Course
from gradetape.errors import CourseError
from gradetape.scaffold import listing, waiver_texts
from gradetape.scaffold.writing import refuse_taken, transaction

# Where the parts of a question are, relative to the course's folder.
_PARTS = (
    "assignments/{assignment}/{id}",
    "autograder/{assignment}/test_{id}.py",
    "solutions/{assignment}/{id}.py",
    "solutions/{assignment}/{id}.yml",
    "solutions/{assignment}/variants/{id}",
    "solutions/{assignment}/mutants/{id}",
    "solutions/{assignment}/mutants/{id}.yml",
    "solutions/{assignment}/equivalents/{id}.yml",
    "solutions/{assignment}/notes/{id}.md",
    "solutions/{assignment}/notes/{id}",
)


class Change(msgspec.Struct, frozen=True):
    """A change of a question: its parts, each with its new path or None, and the new texts of the files that list it.

    A file whose text is empty is removed.
    """

    assignment: str
    parts: tuple[tuple[Path, Path | None], ...]
    texts: tuple[tuple[Path, str], ...]


def rename(course: Course, assignment: str, old: str, new: str) -> Change:
    """The change that gives a question another id. Raises CourseError if the new id is invalid or taken."""
    refuse_id(course, assignment, new)
    parts = _parts(course.root, assignment, old)
    targets = [_new_path(path, (assignment, old), (assignment, new)) for path in parts]
    refuse_taken(course.root, targets)
    text = listing.renamed(listed(course, assignment), old, new)
    waivers = waiver_texts.renamed(_waivers(course, assignment), old, new)
    return _change(course, assignment, tuple(zip(parts, targets, strict=True)), text, waivers)


def remove(course: Course, assignment: str, question_id: str) -> Change:
    """The change that removes a question. Raises CourseError if the assignment has no other."""
    if course.assignment(assignment).order == (question_id,):
        raise CourseError(
            f"{question_id} is the only question of {assignment}, which needs at least one. Add another first: "
            f"gradetape new question {assignment} ID"
        )
    parts = tuple((path, None) for path in _parts(course.root, assignment, question_id))
    text = listing.removed(listed(course, assignment), question_id)
    waivers = waiver_texts.removed(_waivers(course, assignment), question_id)
    return _change(course, assignment, parts, text, waivers)


def copy(
    source: Course, origin: tuple[str, str], course: Course, target: tuple[str, str], after: str | None = None
) -> Change:
    """The change that copies a question of a course; `origin` and `target` are an assignment and a question id.

    Raises CourseError if the new id is invalid or taken.
    """
    refuse_id(course, *target)
    copied_from = source.assignment(origin[0])
    source_of = {each.question.id: each for each in copied_from.all_sources}[origin[1]]
    parts = _parts(source.root, *origin)
    targets = [_new_path(path, origin, target) for path in parts]
    refuse_taken(course.root, targets)
    folder = copied_from.folder / origin[1]
    data = [
        f"{target[1]}/{path.relative_to(folder).as_posix()}" for path in copied_from.data if path.is_relative_to(folder)
    ]
    worth = listing.Worth(source_of.question.points, is_written=source_of.is_written)
    text = listing.with_data(listing.added(listed(course, target[0]), target[1], worth, after), data)
    copied = waiver_texts.renamed(
        waiver_texts.of_question(_waivers(source, origin[0]), origin[1]), origin[1], target[1]
    )
    waivers = "\n".join(filter(None, (_waivers(course, target[0]).rstrip("\n"), copied)))
    return _change(course, target[0], tuple(zip(parts, targets, strict=True)), text, waivers)


def make(course: Course, change: Change, source: Course | None = None) -> None:
    """Makes a change, completely or not at all; with `source`, the parts are copied from that course.

    Raises CourseError, with nothing changed, if a file cannot be written.
    """
    with transaction(course.root) as work:
        for path, target in change.parts:
            if target is None:
                work.remove(path)
            elif source is None:
                work.move(path, target)
            else:
                _copy(source.root / path, work.staging / target)
                work.place(target)
        for path, text in change.texts:
            work.replace(path, text) if text else work.remove(path)


def _change(
    course: Course, assignment: str, parts: tuple[tuple[Path, Path | None], ...], text: str, waivers: str
) -> Change:
    texts = [(Path("assignments", assignment, "assignment.yml"), text)]
    if waivers.rstrip("\n") != _waivers(course, assignment).rstrip("\n"):
        texts.append((Path("solutions", assignment, WAIVERS), waivers))
    return Change(assignment, parts, tuple(texts))


def refuse_id(course: Course, assignment: str, question_id: str) -> None:
    """Raises CourseError if no question of the assignment can have this id."""
    if not QUESTION_ID.fullmatch(question_id):
        raise CourseError(f"{question_id!r} is not a question id: use two digits and a name, as in q05_custom_loss")
    if question_id in question_ids(course, assignment):
        raise CourseError(f"{assignment} already has a question {question_id}. Choose another id.")


def question_ids(course: Course, assignment: str) -> tuple[str, ...]:
    """The ids of an assignment's questions; none if assignment.yml lists none yet. Raises CourseError."""
    text = listed(course, assignment)
    if assignment in course.names() and text.strip() and listing.is_empty(text):
        return ()
    return course.assignment(assignment).order


def listed(course: Course, assignment: str) -> str:
    """The text of assignment.yml; empty if it is missing."""
    path = course.root / "assignments" / assignment / "assignment.yml"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _waivers(course: Course, assignment: str) -> str:
    """The text of waivers.yml; empty if it is missing."""
    path = course.root / "solutions" / assignment / WAIVERS
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def mentions(course: Course, assignment: str, question_id: str) -> tuple[Path, ...]:
    """The text files of an assignment, other than assignment.yml, that name a question."""
    folders = [course.root / name / assignment for name in ("assignments", "autograder", "solutions")]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    word = re.compile(rf"\b{question_id}\b".encode())
    shown = (path.relative_to(course.root) for path in files if word.search(path.read_bytes()))
    return tuple(path for path in shown if path.name != "assignment.yml" and "__pycache__" not in path.parts)


def _parts(root: Path, assignment: str, question_id: str) -> list[Path]:
    """The existing parts of a question."""
    paths = [Path(part.format(assignment=assignment, id=question_id)) for part in _PARTS]
    return [path for path in paths if (root / path).exists()]


def _new_path(path: Path, origin: tuple[str, str], target: tuple[str, str]) -> Path:
    part = next(part for part in _PARTS if Path(part.format(assignment=origin[0], id=origin[1])) == path)
    return Path(part.format(assignment=target[0], id=target[1]))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    else:
        shutil.copyfile(source, target)
