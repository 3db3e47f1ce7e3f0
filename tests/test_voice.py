"""Help texts, messages, pages and documentation use standard terms, and none of the retired words."""

from __future__ import annotations

import ast
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gradetape.cli import cli
from gradetape.course import config
from gradetape.course.assignments import AssignmentSpec
from gradetape.course.strict_yaml import StrictModel, every_key
from tests.commands import commands

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "gradetape"

RETIRED = (
    "far[ -]sides?", "over there", "beyond the walls?", "walls?", "walled", "houses?", "rooms?", "lanes?", "masters?",
    "exams?", "stems?", "shims?", "standings?", "tapes?", "mend(?:s|ed|ing)?", "rosters?", "bench(?:es)?", "desks?",
    "seats?", "scratch", "workshops?", "uncoloured", "what kills what", "WallsError", "NotHere",
    "befalls?", "in peace", "such as it is", "let go", "on its way", "in hand", "of now", "hangs? up", "nothing less",
    "second turns?", "whose the", "a person (?:must|should|gave|gives)", "given by a person", "one is due",
    "is told (?:to|with)", "tells? of", "says of itself", "what became of", "all that (?:counts|is|was|decides)",
    "is no (?:number|reply|check|ISO time)", "(?:judge|zygote|process|worker) is gone",
)  # fmt: skip
_RETIRED = re.compile(rf"(?<![\w.-])(?:{'|'.join(RETIRED)})(?![\w-])", re.IGNORECASE)

# Phrases in which such a word is the standard one. TensorFlow records derivatives on a tape.
ALLOWED = (
    "wall[ -]clock", "from scratch", "make bench", r"GradientTape\(?\)?(?: as tape)?", r"tape\.(?:watch|gradient)",
    "computation on a tape", "A tape records what happens to a tensor",
    # The command, and what it opens.
    r"(?:[Tt]he|a|gradetape) desk\b", r"gradetape\[desk\]", r"\[?\(?desk\.(?:md|html|py)\b", "desk command",
    "desk {2,}Open",
    # The class list, as platforms and registrars call it. It was the name of what is now discovery, and of that only.
    r"[Rr]oster(?:\.csv|[-_ ][Mm]ap)?\b",
)  # fmt: skip
_ALLOWED = re.compile("|".join(ALLOWED))

# Names in use by other tools, gradebooks or configurations: exactly these strings in these files, and `NAME` in pages.
FIXED_NAMES = {
    "src/gradetape/doctor.py": "walls",  # the name of a finding in `doctor --json`
    "docs/reference/json.md": "walls",
    "src/gradetape/cli/app.py": "desk",  # the name of the command, and of the package that it is in
    "src/gradetape/cli/desk.py": "desk",
    "docs/architecture.md": "desk",
    "src/gradetape/records/submissions.py": "stem",  # a question's id, as gradebooks of every version store it
    "src/gradetape/gradebook/schema.py": "stem",
    "CHANGELOG.md": "container.per: lane",  # a former setting, for those who must replace it
}


def retired(text: str) -> list[str]:
    """The retired words of a text, each with a few words around it."""
    plain = _ALLOWED.sub(lambda found: " " * len(found[0]), text)
    return [
        f"{found[0]!r} in {text[max(found.start() - 40, 0) : found.end() + 40]!r}" for found in _RETIRED.finditer(plain)
    ]


def problems(file: str, text: str) -> list[str]:
    """The retired words of a page, except the fixed name that it may quote."""
    return retired(text.replace(f"`{FIXED_NAMES[file]}`", "") if file in FIXED_NAMES else text)


def files(*patterns: str) -> list[str]:
    found = (path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
    return sorted({path.relative_to(ROOT).as_posix() for path in found})


def strings(file: str) -> Iterator[str]:
    """Every string of a Python file, docstrings and the parts of f-strings included, except its fixed name."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != FIXED_NAMES.get(file):
            yield node.value


def comments(file: str) -> Iterator[str]:
    """The comments of a Python file."""
    lines = iter((ROOT / file).read_text(encoding="utf-8").splitlines(keepends=True))
    for token in tokenize.generate_tokens(lambda: next(lines, "")):
        if token.type == tokenize.COMMENT:
            yield token.string


@pytest.mark.parametrize(("path", "command"), [pytest.param(*each, id=each[0]) for each in commands(cli, "gradetape")])
def test_the_help_of_a_command_has_no_retired_word(path: str, command: click.Command) -> None:
    assert retired(command.get_help(click.Context(command, info_name=path))) == []


@pytest.mark.parametrize("file", files("src/gradetape/**/*.py"))
def test_messages_and_docstrings_have_no_retired_word(file: str) -> None:
    assert [each for text in strings(file) for each in problems(file, text)] == []


@pytest.mark.parametrize("file", files("src/gradetape/**/*.py"))
def test_comments_have_no_retired_word(file: str) -> None:
    assert [each for text in comments(file) for each in problems(file, text)] == []


@pytest.mark.parametrize("file", files("src/gradetape/**/*.j2", "src/gradetape/**/*.tmpl", "src/gradetape/**/*.md"))
def test_templates_have_no_retired_word(file: str) -> None:
    assert problems(file, (ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("model", [config.Config, AssignmentSpec])
def test_descriptions_of_the_configuration_have_no_retired_word(model: type[StrictModel]) -> None:
    assert [each for name, field in every_key(model) for each in retired(f"{name} {field.description}")] == []


def test_values_of_the_configuration_have_no_retired_word() -> None:
    assert retired(json.dumps(config.schema())) == []
    assert problems("grader_config.yml", (ROOT / "grader_config.yml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "file", files("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**/*.md", "docs/*.svg", "mkdocs.yml")
)
def test_documentation_has_no_retired_word(file: str) -> None:
    assert problems(file, (ROOT / file).read_text(encoding="utf-8")) == []


def test_the_help_of_make_has_no_retired_word() -> None:
    assert retired("\n".join(re.findall("#.*", (ROOT / "Makefile").read_text(encoding="utf-8")))) == []


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
        ("Hand in the notebook; it is due on Monday. The old files are gone.", 0),
        ("of 3 files, one is due; a person must look, since the zygote is gone", 3),
    ],
)
def test_retired_words_are_found_as_whole_words(text: str, words: int) -> None:
    assert len(retired(text)) == words
