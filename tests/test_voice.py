"""Help texts, messages, pages and documentation use standard terms, and none of the retired words."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gradetape.cli import cli
from gradetape.course import config
from gradetape.course.assignments import AssignmentSpec

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "gradetape"

RETIRED = (
    r"far[ -]sides?", r"over there", r"beyond the walls?", r"behind (?:the|its|their|all|such) walls?", r"walls?",
    r"walled", r"houses?", r"rooms?", r"lanes?", r"masters?", r"exams?", r"stems?", r"shims?", r"standings?", r"tapes?",
    r"mend(?:s|ed|ing)?", r"rosters?", r"bench(?:es)?", r"desks?", r"seats?", r"scratch", r"workshops?", r"markers?",
    r"uncoloured", r"what kills what", r"let go", r"heartbeats? of", r"the machinery", r"NotHere", r"WallsError",
)  # fmt: skip
_RETIRED = re.compile(rf"(?<![\w`.-])(?:{'|'.join(RETIRED)})(?![\w-])", re.IGNORECASE)

# Phrases in which such a word is the standard one.
ALLOWED = (
    r"wall[ -]clock", r"from scratch", r"GradientTape\(?\)?(?: as tape)?", r"tape\.(?:watch|gradient)",
    r"the tape records", r"cell markers?", r"class roster", r"heartbeat",
)  # fmt: skip
_ALLOWED = re.compile("|".join(ALLOWED), re.IGNORECASE)

# The value of `name` in `doctor --json`, on which other tools rely.
LITERALS = {"src/gradetape/doctor.py": {"walls"}, "docs/reference/json.md": {"`walls`"}}

# Text that a program writes for another one, or the names of Python's, TensorFlow's and pytest's own things.
SKIPPED_FILES = {"src/gradetape/report/assets/sortable.min.js"}
_BEFORE_RENAMING = "### Added"


def retired(text: str) -> list[str]:
    """The retired words of a text, each with a few words around it."""
    plain = _ALLOWED.sub(lambda found: " " * len(found[0]), text)
    return [
        f"{found[0]!r} in {text[max(found.start() - 40, 0) : found.end() + 40]!r}" for found in _RETIRED.finditer(plain)
    ]


def problems(file: str, text: str) -> list[str]:
    """The retired words of a file, except the literals that it may hold."""
    for literal in LITERALS.get(file, ()):
        text = text.replace(literal, "")
    return retired(text)


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


def files(*patterns: str) -> list[str]:
    found = (path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
    names = {path.relative_to(ROOT).as_posix() for path in found}
    return sorted(name for name in names - SKIPPED_FILES if "__pycache__" not in name)


def strings(file: str) -> Iterator[str]:
    """Every string of a Python file, docstrings included; the parts of an f-string each by itself."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def comments(file: str) -> Iterator[str]:
    """The text after `##` in a Makefile's targets, and its comments."""
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        yield line.partition("#")[2]


@pytest.mark.parametrize(("path", "command"), [*commands(cli, "gradetape")], ids=lambda value: str(value))
def test_the_help_of_a_command_has_no_retired_word(path: str, command: click.Command) -> None:
    assert retired(command.get_help(click.Context(command, info_name=path))) == []


@pytest.mark.parametrize("file", files("src/gradetape/**/*.py"))
def test_messages_and_docstrings_have_no_retired_word(file: str) -> None:
    assert [each for text in strings(file) if text not in LITERALS.get(file, ()) for each in retired(text)] == []


@pytest.mark.parametrize(
    "file",
    files(
        "src/gradetape/**/*.j2", "src/gradetape/**/*.tmpl", "src/gradetape/**/*.md", "src/gradetape/report/assets/*.js",
        "src/gradetape/release/requirements.txt",
    ),
)  # fmt: skip
def test_templates_have_no_retired_word(file: str) -> None:
    assert problems(file, (ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("model", [config.Config, AssignmentSpec])
def test_descriptions_of_the_configuration_have_no_retired_word(model: type[config.StrictModel]) -> None:
    assert [each for name, field in config.every_key(model) for each in retired(f"{name} {field.description}")] == []


def test_values_of_the_configuration_have_no_retired_word() -> None:
    assert retired(json.dumps(config.schema())) == []
    assert problems("grader_config.yml", (ROOT / "grader_config.yml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", files("README.md", "CONTRIBUTING.md", "docs/**/*.md", "docs/*.svg", "mkdocs.yml"))
def test_documentation_has_no_retired_word(file: str) -> None:
    assert problems(file, (ROOT / file).read_text(encoding="utf-8")) == []


def test_the_help_of_make_has_no_retired_word() -> None:
    assert [each for text in comments("Makefile") for each in retired(text)] == []


@pytest.mark.parametrize(
    "file", files("assignments/**/*.md", "assignments/**/*.yml", "student/**/*.md", "student/**/*.ipynb")
)
def test_what_students_read_has_no_retired_word(file: str) -> None:
    assert problems(file, (ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A worker stands behind its walls.", 1),
        ("the reference, on a far side of its own", 1),
        ("Seconds of wall clock time, and wall-clock limits; start from scratch.", 0),
        ("with tf.GradientTape() as tape:\n    tape.watch(x)", 0),
        ("what mends it, and what kills what", 2),
        ("gradetape, a system, headroom, classroom", 0),
    ],
)
def test_retired_words_are_found_as_whole_words(text: str, words: int) -> None:
    assert len(retired(text)) == words
