"""A course and the parts of its assignments that students may see.

`find` and `Course.assignment` read only `grader_config.yml` and `assignments/`, so they work without `solutions/` and
`autograder/`, which `course.answer_key` reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, WrapValidator

from gradetape import records
from gradetape.course import config, packages
from gradetape.course.strict_yaml import StrictModel, read
from gradetape.errors import CourseError
from gradetape.text import did_you_mean

QUESTION_ID = re.compile(r"q\d\d_[a-z0-9_]+")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
AWAY = " Move it away, or add the question."
_HEADING = re.compile(r"#{1,6}\s+(?P<title>.*\S)")


@dataclass(frozen=True)
class QuestionSource:
    """The public part of one question.

    A written question asks for words or a plot: it has no checks, and its starter may be missing.
    """

    question: records.Question
    folder: Path
    is_written: bool = False

    @property
    def prompt(self) -> Path:
        """The task, in Markdown."""
        return self.folder / "prompt.md"

    @property
    def starter(self) -> Path:
        """The code that students complete."""
        return self.folder / "starter.py"

    @property
    def public_checks(self) -> Path:
        """The checks that students can run themselves."""
        return self.folder / "test_public.py"


@dataclass(frozen=True)
class Assignment:
    """The public part of one assignment; `deadline` is an ISO time with its zone.

    `data` are the files that students receive with the notebook, and that lie beside it where it is graded. `packages`
    are the requirements of what submissions may import besides TensorFlow. `question_sources` are the questions with
    checks, `written_sources` those whose answers a person marks, and `order` has the ids of both.
    """

    name: str
    title: str
    folder: Path
    introduction: Path
    deadline: str | None
    data: tuple[Path, ...]
    question_sources: tuple[QuestionSource, ...]
    packages: tuple[str, ...] = ()
    written_sources: tuple[QuestionSource, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def student_files(self) -> dict[str, Path]:
        """The files for students, by their paths from the notebook."""
        return {os.path.normpath(file.relative_to(self.folder)): file for file in self.data}

    @property
    def all_sources(self) -> tuple[QuestionSource, ...]:
        """The questions with checks and the written ones, in the order that students see."""
        found = {source.question.id: source for source in (*self.question_sources, *self.written_sources)}
        return tuple(found[question_id] for question_id in self.order or found)

    @cached_property
    def written(self) -> tuple[records.Question, ...]:
        """The written questions in their order."""
        return tuple(source.question for source in self.written_sources)

    @cached_property
    def questions(self) -> tuple[records.Question, ...]:
        """The questions with checks in their order."""
        return tuple(question_source.question for question_source in self.question_sources)

    @cached_property
    def question_ids(self) -> tuple[str, ...]:
        """The ids of the questions with checks, in their order."""
        return tuple(question.id for question in self.questions)


@dataclass(frozen=True)
class Course:
    """A folder that holds a `grader_config.yml`."""

    root: Path
    config: config.Config

    @property
    def gradebook_file(self) -> Path | None:
        """The SQLite file that the configuration names as the gradebook."""
        database = (self.config.gradebook or "").partition("sqlite:///")[2]
        return self.root / database if database else None

    @property
    def private_tables(self) -> tuple[Path, ...]:
        """The files about students that the configuration names: times of handing in, and the class list."""
        named = (*self.config.late.all_times, self.config.roster, self.config.roster_map)
        return tuple(self.root / path for path in named if path is not None)

    def with_class_list(self, roster: Path | None, roster_map: Path | None) -> Course:
        """The same course with another class list, or another table of whose a submission is."""
        given = {"roster": roster, "roster_map": roster_map}
        update = {key: path.absolute() for key, path in given.items() if path is not None}
        return replace(self, config=self.config.model_copy(update=update)) if update else self

    @property
    def secret_places(self) -> tuple[Path, ...]:
        """The files and folders of the course that no submission may be, by whatever link; some may be missing."""
        named = [*self.private_tables, *([self.gradebook_file] if self.gradebook_file else [])]
        return tuple(self.root / path for path in (Path("solutions"), Path("autograder"), Path(config.FILE), *named))

    def names(self) -> tuple[str, ...]:
        """The names of the course's assignments. Raises CourseError if `assignments/` is missing."""
        folder = self.root / "assignments"
        if not folder.is_dir():
            raise CourseError(f"{folder} is missing. Create an assignment: gradetape new assignment NAME")
        return tuple(sorted(entry.name for entry in entries(folder) if entry.is_dir() and NAME.fullmatch(entry.name)))

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages of all assignments. Raises CourseError or ConfigError."""
        return tuple(dict.fromkeys(each for name in self.names() for each in self.assignment(name).packages))

    def assignment(self, name: str) -> Assignment:
        """One assignment. Raises CourseError or ConfigError with everything that is wrong in its folder."""
        if name not in self.names():
            known = ", ".join(self.names()) or "none yet"
            near = did_you_mean(name, self.names())
            raise CourseError(f"There is no assignment {name!r} in assignments/.{near} Assignments: {known}.")
        return _read_assignment(self, name)


def root_of(start: Path) -> Path | None:
    """The nearest folder, `start` or above it, with a `grader_config.yml`."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / config.FILE).is_file()), None)


def find(start: Path) -> Course:
    """The course that contains `start`.

    Raises CourseError if neither it nor a folder above has a `grader_config.yml`.
    """
    if (root := root_of(start)) is not None:
        return Course(root, config.load(root / config.FILE))
    raise CourseError(
        f"There is no {config.FILE} in {start.resolve()} or in a folder above it. "
        "Go to the course's folder, or start a course in an empty one: gradetape init"
    )


def _question_id(text: str) -> str:
    if not QUESTION_ID.fullmatch(text):
        raise ValueError("write an id like q05_custom_loss: q, two digits, then lower-case letters, digits and _")
    return text


_Package = Annotated[str, AfterValidator(packages.valid)]
_CODE, _WRITTEN = "code", "written"
_FORM = "write points, or a mapping like {points: 4, kind: written}"


class WrittenPoints(float):
    """The points of a written question."""


def _points(value: object, valid: ValidatorFunctionWrapHandler) -> float:
    """Points by themselves, or with the kind of the question."""
    if not isinstance(value, Mapping):
        return float(valid(value))
    if unknown := [str(key) for key in value if key not in ("points", "kind")]:
        near = did_you_mean(unknown[0], ("points", "kind"))
        raise ValueError(f"it has no key {unknown[0]!r}.{near} {_FORM.capitalize()}")
    if "points" not in value:
        raise ValueError(f"its points are missing: {_FORM}")
    kind = value.get("kind", _CODE)
    if kind not in (_CODE, _WRITTEN):
        raise ValueError(f"its kind is {_CODE} or {_WRITTEN}, not {kind!r}")
    points = float(valid(value["points"]))
    return WrittenPoints(points) if kind == _WRITTEN else points


class AssignmentSpec(StrictModel):
    """The keys of `assignment.yml`."""

    title: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="The assignment's title.")
    questions: Annotated[
        dict[
            Annotated[str, AfterValidator(_question_id)],
            Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False), WrapValidator(_points)],
        ],
        Field(min_length=1),
    ] = Field(
        description="The questions' ids, in the order that students see, and the points of all checks of each. A "
        "question that asks for words or a plot has no checks: write {points: 4, kind: written}, and its rubric into "
        "solutions/ASSIGNMENT/QUESTION.yml. A person marks its answers."
    )
    deadline: config.Time | None = Field(None, description="The deadline, as an ISO time with its zone.")
    files: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (),
        description="Further files of the assignment's folder, such as data.csv or helpers.py: students receive them "
        "with the notebook, and they lie beside it, read-only, where it is graded.",
    )
    data: Annotated[tuple[str, ...], Field(strict=False)] = Field((), description="The older name of files.")
    packages: Annotated[tuple[_Package, ...], Field(strict=False)] = Field(
        (),
        description="Packages that submissions may import besides TensorFlow, Keras and NumPy, as pip reads them, such "
        "as seaborn==0.13.2. They have to be installed; image build installs them into the image.",
    )


def _read_assignment(course: Course, name: str) -> Assignment:
    folder = course.root / "assignments" / name
    shown = f"assignments/{name}"
    spec = read(folder / "assignment.yml", AssignmentSpec, shown=f"{shown}/assignment.yml")
    data = tuple(folder / file for file in dict.fromkeys((*spec.files, *spec.data)))
    problems = [
        *_unlisted(folder, shown, spec.questions, data),
        *_unfit(folder, shown, [folder / "introduction.md", *data]),
        *_too_large(shown, data, course.config.limits.disk_mb),
        *unreadable(folder.parent.parent, [folder / "introduction.md"]),
        *(
            problem
            for question_id, points in spec.questions.items()
            for problem in _unfit_question(folder, shown, question_id, points)
        ),
    ]
    if problems:
        raise CourseError("\n".join(problems))
    sources = [_question_source(folder / question_id, shown, points) for question_id, points in spec.questions.items()]
    return Assignment(
        name, spec.title, folder, folder / "introduction.md", spec.deadline, data,
        tuple(each for each in sources if not each.is_written), spec.packages,
        tuple(each for each in sources if each.is_written), tuple(spec.questions),
    )  # fmt: skip


def _question_source(folder: Path, shown: str, points: float) -> QuestionSource:
    title = _title(folder / "prompt.md", f"{shown}/{folder.name}/prompt.md")
    question = records.Question(id=folder.name, title=title, points=float(points))
    return QuestionSource(question, folder, isinstance(points, WrittenPoints))


def _title(prompt: Path, shown: str) -> str:
    """The first heading of a prompt, before any code fence."""
    for line in prompt.read_text(encoding="utf-8-sig").splitlines():
        if line.startswith(("```", "~~~")):
            break
        if heading := _HEADING.fullmatch(line.strip()):
            return heading["title"].rstrip("# ")
    raise CourseError(f"{shown} has no title. Begin it with a heading, like '# A custom loss'.")


def entries(folder: Path) -> Iterator[Path]:
    """The entries of a folder, without hidden files and Python's caches."""
    if folder.is_dir():
        yield from (entry for entry in sorted(folder.iterdir()) if not entry.name.startswith((".", "__pycache__")))


def _unlisted(folder: Path, shown: str, listed: Mapping[str, float], data: Iterable[Path]) -> Iterator[str]:
    data_folders = {parent for file in data for parent in file.parents}
    for entry in entries(folder):
        if entry.is_dir() and entry.name not in listed and entry not in data_folders:
            near = did_you_mean(entry.name, listed) or f"{AWAY} Files for students belong under files there."
            yield f"{shown}/{entry.name} is not among the questions in {shown}/assignment.yml.{near}"


def _unfit_question(folder: Path, shown: str, question_id: str, points: float) -> Iterator[str]:
    if not (folder / question_id).is_dir():
        folders = [entry.name for entry in entries(folder) if entry.is_dir()]
        near = did_you_mean(question_id, folders) or " Remove the line."
        yield f"{shown}/assignment.yml lists {question_id}, but {shown}/{question_id} is missing.{near}"
        return
    names = ["prompt.md", "starter.py", "test_public.py"]
    if isinstance(points, WrittenPoints):
        if (folder / question_id / names.pop()).exists():
            yield (
                f"{shown}/{question_id} is a written question, which has no checks. Move its test_public.py away, or "
                "remove kind: written."
            )
        names = [name for name in names if name == "prompt.md" or (folder / question_id / name).exists()]
    parts = [folder / question_id / name for name in names]
    yield from _unfit(folder, shown, parts)
    yield from unreadable(folder.parent.parent, parts)


def _unfit(folder: Path, shown: str, files: Iterable[Path]) -> Iterator[str]:
    """Problems with files that are missing, or outside the public folder, as the answer key is."""
    for file in files:
        name = f"{shown}/{file.relative_to(folder)}" if file.is_relative_to(folder) else str(file)
        if not file.resolve().is_relative_to(folder.resolve()):
            yield f"{name} is outside {shown}, and students receive only files in it. Copy the file there."
        elif not file.is_file():
            near = did_you_mean(file.name, (entry.name for entry in entries(file.parent)))
            yield f"{name} is missing.{near}"


def _too_large(shown: str, data: Iterable[Path], disk_mb: int) -> Iterator[str]:
    """A problem with files that would leave a submission no space of its own."""
    size = sum(file.stat().st_size for file in data if file.is_file()) / (1 << 20)
    if size > disk_mb / 2:
        yield (
            f"{shown}/assignment.yml: the files for students have {size:.0f} MiB together, and at most {disk_mb // 2} "
            "lie beside a notebook, half of limits.disk_mb. Raise it in grader_config.yml, or shorten the files."
        )


def unreadable(root: Path, files: Iterable[Path]) -> Iterator[str]:
    """Problems with existing files that cannot be read as text."""
    for file in files:
        try:
            file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            yield f"{file.relative_to(root)} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8."
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"{file.relative_to(root)} cannot be read: {error.strerror}. Make it a text file that you may read."
