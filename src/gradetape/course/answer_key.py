"""The answer key of an assignment: reference solutions, variants, mutants, hidden checks, and the course's seed.

Nothing else reads `solutions/` and `autograder/`. A file there that does not belong to a question is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradetape.course.assignments import AWAY, Assignment, Course, QuestionSource, entries, unreadable
from gradetape.course.written import read_rubric
from gradetape.errors import ConfigError, CourseError
from gradetape.records import RubricItem
from gradetape.text import did_you_mean

WAIVERS = "waivers.yml"


@dataclass(frozen=True)
class AnswerKey:
    """The parts of an assignment that students never see."""

    assignment: Assignment
    solutions: Path
    autograder: Path

    def reference(self, question_id: str) -> Path:
        """The reference solution of a question."""
        return self.solutions / f"{question_id}.py"

    def variants(self, question_id: str) -> tuple[Path, ...]:
        """Other correct solutions of a question."""
        return tuple(sorted((self.solutions / "variants" / question_id).glob("*.py")))

    def mutants(self, question_id: str) -> tuple[Path, ...]:
        """Wrong solutions of a question that are whole files, each with one misconception."""
        return tuple(sorted((self.solutions / "mutants" / question_id).glob("*.py")))

    def patches(self, question_id: str) -> Path:
        """The wrong solutions of a question that are patches of a right one, as YAML; the file may be missing."""
        return self.solutions / "mutants" / f"{question_id}.yml"

    def equivalents(self, question_id: str) -> Path:
        """The generated mutants of a question that behave like the reference; the file may be missing."""
        return self.solutions / "equivalents" / f"{question_id}.yml"

    def hidden_checks(self, question_id: str) -> Path:
        """The checks of a question that students do not receive."""
        return self.autograder / f"test_{question_id}.py"

    def rubric(self, question_id: str) -> Path:
        """The rubric by which a person marks the answers to a written question, as YAML."""
        return self.solutions / f"{question_id}.yml"

    def note(self, question_id: str) -> Path:
        """What only instructors read about a question, such as a model answer, in Markdown; the file may be missing."""
        return self.solutions / "notes" / f"{question_id}.md"

    def rubric_items(self, source: QuestionSource) -> tuple[RubricItem, ...]:
        """The items of a written question's rubric. Raises ConfigError if it is missing or invalid."""
        path = self.rubric(source.question.id)
        shown = path.relative_to(self.solutions.parents[1]).as_posix()
        if not path.is_file():
            raise ConfigError(
                f"{source.question.id} has no rubric: {shown} is missing. Write it: items, each with id, text and "
                "points."
            )
        return read_rubric(path, shown, source.question.points)

    @property
    def waivers(self) -> Path:
        """The checks that adversaries may pass, as YAML; the file may be missing."""
        return self.solutions / WAIVERS

    def seed(self) -> bytes:
        """The course's secret seed. Raises CourseError if it is missing or too short."""
        path = self.autograder.parent / "seed"
        try:
            seed = bytes.fromhex(path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            seed = b""
        if len(seed) < 16:
            raise CourseError(
                f"autograder/seed should hold at least 32 random hexadecimal digits. "
                f"Make one: python -c 'import secrets; print(secrets.token_hex(32))' > {path}"
            )
        return seed


def answer_key(course: Course, assignment: Assignment) -> AnswerKey:
    """The answer key of an assignment.

    Raises CourseError with every file that is missing or does not belong to a question.
    """
    found = AnswerKey(
        assignment, course.root / "solutions" / assignment.name, course.root / "autograder" / assignment.name
    )
    problems = [
        *_missing_answers(course, found), *_strays(course, found), *unreadable(course.root, _secret_texts(found)),
        *_wrong_rubrics(found),
    ]  # fmt: skip
    if problems:
        raise CourseError("\n".join(problems))
    return found


def _missing_answers(course: Course, found: AnswerKey) -> Iterator[str]:
    for question_id in found.assignment.question_ids:
        for what, path in (
            ("reference", found.reference(question_id)),
            ("hidden checks", found.hidden_checks(question_id)),
        ):
            if not path.is_file():
                yield f"{question_id} has no {what}: {path.relative_to(course.root)} is missing."


def _wrong_rubrics(found: AnswerKey) -> Iterator[str]:
    for source in found.assignment.written_sources:
        try:
            found.rubric_items(source)
        except ConfigError as error:
            yield str(error)


def _secret_texts(found: AnswerKey) -> Iterator[Path]:
    yield found.waivers
    for question_id in found.assignment.question_ids:
        yield from (
            found.reference(question_id),
            *found.variants(question_id),
            *found.mutants(question_id),
            found.patches(question_id),
            found.equivalents(question_id),
            found.hidden_checks(question_id),
        )


def _strays(course: Course, found: AnswerKey) -> Iterator[str]:
    """Files and folders that do not belong to a question: verify would silently skip a misspelt question id."""
    for folder, files, folders in _expected(found):
        for entry in entries(folder):
            if entry.name not in (folders if entry.is_dir() else files):
                alike = [name for name in files if name.endswith(entry.suffix or "/")]
                near = next(filter(None, (did_you_mean(entry.name, names) for names in (alike, folders, files))), AWAY)
                shown = entry.relative_to(course.root)
                yield f"{shown} does not belong to any question of {found.assignment.name}.{near}"


def _expected(found: AnswerKey) -> Iterator[tuple[Path, Sequence[str], Sequence[str]]]:
    """Each folder of the answer key, with the names that its files and its folders may have."""
    ids = found.assignment.question_ids
    sources, patches = [f"{each}.py" for each in ids], [f"{each}.yml" for each in ids]
    rubrics = [f"{each.id}.yml" for each in found.assignment.written]
    yield found.solutions, [*sources, *rubrics, WAIVERS], ("variants", "mutants", "equivalents", "notes")
    yield found.solutions / "variants", (), ids
    yield found.solutions / "mutants", patches, ids
    yield found.solutions / "equivalents", patches, ()
    yield found.autograder, [f"test_{each}.py" for each in ids], ()
