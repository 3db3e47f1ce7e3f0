"""New assignments and questions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from gradetape.course.assignments import NAME, Course
from gradetape.errors import CourseError
from gradetape.scaffold import listing
from gradetape.scaffold.questions import listed, refuse_id
from gradetape.scaffold.readiness import PLACEHOLDER
from gradetape.scaffold.sheet import Entry, Sheet
from gradetape.scaffold.writing import write

LEFT_OUT = "left_out.md"
_POINTS = 2


def new_assignment(
    course: Course, name: str, sheet: Sheet | None = None, written: Collection[str] = ()
) -> list[Path]:  # fmt: skip
    """Writes an assignment with the questions of a sheet, or with one example question; returns the written files.

    `written` are the ids of the questions that ask for words or a plot. Raises CourseError if the name is invalid or
    taken.
    """
    if not NAME.fullmatch(name):
        raise CourseError(
            f"{name!r} cannot be a folder's name on every system: use letters, digits, - and _, as in week-3"
        )
    entries = sheet.entries if sheet else (Entry("q01_first_question", "First question", ""),)
    home = Path("assignments", name)
    title = sheet.title if sheet and sheet.title else name
    made: dict[Path, str] = {
        home / "assignment.yml": _assignment_text(title, [entry.id for entry in entries], written),
        home / "introduction.md": _filled("introduction.md", title=title),
    }
    for entry in entries:
        made |= _written_files(name, entry) if entry.id in written else _question_files(course, name, entry)
    if sheet and sheet.left_out:
        made[Path("solutions", name, "notes", LEFT_OUT)] = sheet.left_out + "\n"
    places = [home, Path("solutions", name), Path("autograder", name)]
    return write(course.root, made, [place for place in places if any(path.is_relative_to(place) for path in made)])


def new_question(course: Course, assignment: str, question_id: str, after: str | None = None) -> list[Path]:
    """Adds a question to an assignment, after another or at the end; returns the files, including assignment.yml.

    Raises CourseError if the assignment is unknown, or if the question id is invalid or taken.
    """
    refuse_id(course, assignment, question_id)
    title = question_id.split("_", 1)[1].replace("_", " ").capitalize()
    made = _question_files(course, assignment, Entry(question_id, title, ""))
    path = Path("assignments", assignment, "assignment.yml")
    text = listing.added(listed(course, assignment), question_id, listing.Worth(_POINTS), after)
    return [path, *write(course.root, made, [*made], {path: text})]


def _question_files(course: Course, assignment: str, entry: Entry) -> dict[Path, str]:
    home, question_id = Path("assignments", assignment, entry.id), entry.id
    solutions = Path("solutions", assignment)
    name = question_id.split("_", 1)[1]
    # With Keras 2, keras is a part of TensorFlow; with Keras 3, `tensorflow.keras` lacks some of its functions.
    keras = "from tensorflow import keras" if course.config.keras == "legacy" else "import keras"
    imports = "\n".join(sorted(["import tensorflow as tf", keras], reverse=course.config.keras == "legacy"))
    text = entry.text or "What to build, and why."
    made = {
        home / "prompt.md": _filled("prompt.md", title=entry.title, text=text, name=name),
        home / "starter.py": _filled("starter.py", name=name, imports=imports),
        home / "test_public.py": _filled("test_public.py", name=name),
        solutions / f"{question_id}.py": _filled("solution.py", name=name, imports=imports),
        solutions / "mutants" / f"{question_id}.yml": _filled("mutants.yml", name=name),
        Path("autograder", assignment, f"test_{question_id}.py"): _filled("test_hidden.py", name=name),
    }
    if entry.answer or entry.doubts:
        made[solutions / "notes" / f"{question_id}.md"] = _note(entry)
    return made


def _written_files(assignment: str, entry: Entry) -> dict[Path, str]:
    """The files of a question that asks for words or a plot; the answer of the sheet is beside its rubric."""
    home, solutions = Path("assignments", assignment, entry.id), Path("solutions", assignment)
    made = {
        home / "prompt.md": _filled("written_prompt.md", title=entry.title, text=entry.text),
        solutions / f"{entry.id}.yml": _filled("rubric.yml", points=str(_POINTS)),
    }
    if entry.answer or entry.doubts:
        made[solutions / "notes" / f"{entry.id}.md"] = _note(entry)
    return made


def _note(entry: Entry) -> str:
    parts = {"The answer from the question sheet": entry.answer, "Question or answer?": entry.doubts}
    text = "\n\n".join(f"## {head}\n\n{part}" for head, part in parts.items() if part)
    return _filled("note.md", title=entry.title, text=text)


def _filled(template: str, **values: str) -> str:
    text = files("gradetape.scaffold").joinpath("templates", f"{template}.tmpl").read_text(encoding="utf-8")
    return Template(text).substitute(values, placeholder=PLACEHOLDER)


def _assignment_text(title: str, question_ids: Sequence[str], written: Collection[str]) -> str:
    worth = {question_id: listing.Worth(_POINTS, is_written=question_id in written) for question_id in question_ids}
    lines = "".join(f"  {question_id}: {each.text}\n" for question_id, each in worth.items())
    return _filled("assignment.yml", title=_quoted(title), questions=lines.rstrip("\n"))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
