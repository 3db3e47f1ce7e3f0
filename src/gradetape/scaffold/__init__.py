"""New assignments and questions: files that are ready to be filled in.

Each placeholder carries the line `PLACEHOLDER`; `gradetape verify` calls a question with one of them not ready. What is
written is complete or not there at all: the files are made in a temporary folder of the course first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from ruamel.yaml import YAML

from gradetape.course.answer_key import AnswerKey
from gradetape.course.assignments import NAME, QUESTION_ID, Assignment, Course
from gradetape.errors import CourseError
from gradetape.scaffold.sheet import Entry, Sheet, read
from gradetape.scaffold.start import EXAMPLE, new_course
from gradetape.scaffold.writing import write

__all__ = [
    "EXAMPLE",
    "PLACEHOLDER",
    "Entry",
    "Sheet",
    "new_assignment",
    "new_course",
    "new_question",
    "placeholders",
    "read",
    "unready",
]

PLACEHOLDER = "gradetape: placeholder"
POINTS = 2


def new_assignment(course: Course, name: str, sheet: Sheet | None = None) -> list[Path]:
    """Writes an assignment with a question for each of a sheet's, or with one; the files that were written.

    Raises CourseError for a name that does not fit or is taken.
    """
    if not NAME.fullmatch(name):
        raise CourseError(f"{name!r} cannot be a folder's name everywhere: use letters, digits, - and _, as in week-3")
    entries = sheet.entries if sheet else (Entry("q01_first_question", "First question", "", ""),)
    home = Path("assignments", name)
    title = sheet.title if sheet and sheet.title else name
    made: dict[Path, str] = {
        home / "assignment.yml": _assignment_text(title, [entry.id for entry in entries]),
        home / "introduction.md": _filled("introduction.md", title=title),
    }
    for entry in entries:
        made |= _question_files(name, entry)
    return write(course.root, made, [home, Path("solutions", name), Path("autograder", name)])


def new_question(course: Course, assignment: str, question_id: str) -> list[Path]:
    """Adds a question to the end of an assignment; the files that were written, assignment.yml among them.

    Raises CourseError for an unknown assignment and for a stem that does not fit or is taken.
    """
    known = course.assignment(assignment)
    if not QUESTION_ID.fullmatch(question_id):
        raise CourseError(f"{question_id!r} is no stem: a question is named like q05_custom_loss")
    if question_id in known.question_ids:
        raise CourseError(f"{assignment} has a question {question_id} already. Choose another name.")
    title = question_id.split("_", 1)[1].replace("_", " ").capitalize()
    made = _question_files(assignment, Entry(question_id, title, "", ""))
    listed = Path("assignments", assignment, "assignment.yml")
    written = write(course.root, made, [*made])
    _list_question(course.root / listed, question_id)
    return [listed, *written]


def unready(assignment: Assignment, answer_key: AnswerKey) -> dict[str, list[Path]]:
    """What is not ready, each question by its stem and the introduction by the assignment's name: its placeholders."""
    public = placeholders(assignment)
    found = {assignment.name: [path for path in public if path == assignment.introduction]}
    for question_source in assignment.question_sources:
        question_id = question_source.question.id
        secret = _unfilled([answer_key.reference(question_id), answer_key.hidden_checks(question_id)])
        found[question_id] = [*(path for path in public if path.parent == question_source.folder), *secret]
    return {name: paths for name, paths in found.items() if paths}


def placeholders(assignment: Assignment) -> list[Path]:
    """The files for students that are still placeholders."""
    question_sources = [
        (question_source.prompt, question_source.starter, question_source.public_checks)
        for question_source in assignment.question_sources
    ]
    return _unfilled([assignment.introduction, *(path for paths in question_sources for path in paths)])


def _unfilled(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if PLACEHOLDER in path.read_text(encoding="utf-8", errors="replace")]


def _question_files(assignment: str, entry: Entry) -> dict[Path, str]:
    home, question_id = Path("assignments", assignment, entry.id), entry.id
    solutions = Path("solutions", assignment)
    name = question_id.split("_", 1)[1]
    made = {
        home / "prompt.md": _filled("prompt.md", title=entry.title, text=entry.text or "What to build, and why."),
        home / "starter.py": _filled("starter.py", name=name),
        home / "test_public.py": _filled("test_public.py", name=name),
        solutions / f"{question_id}.py": _filled("solution.py", name=name),
        Path("autograder", assignment, f"test_{question_id}.py"): _filled("test_hidden.py", name=name),
    }
    if entry.answer:
        made[solutions / "notes" / f"{question_id}.md"] = _filled("note.md", title=entry.title, answer=entry.answer)
    return made


def _filled(template: str, **values: str) -> str:
    text = files("gradetape.scaffold").joinpath("templates", f"{template}.tmpl").read_text(encoding="utf-8")
    return Template(text).substitute(values, placeholder=PLACEHOLDER)


def _assignment_text(title: str, question_ids: Sequence[str]) -> str:
    lines = "".join(f"  {question_id}: {POINTS}\n" for question_id in question_ids)
    return _filled("assignment.yml", title=_quoted(title), questions=lines.rstrip("\n"))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _list_question(path: Path, question_id: str) -> None:
    """Adds a line to assignment.yml, whose comments and order stay."""
    yaml = YAML()
    data = yaml.load(path.read_text(encoding="utf-8"))
    data["questions"][question_id] = POINTS
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        yaml.dump(data, file)
    Path(file.name).replace(path)
