"""The reference pages of the documentation, generated from the code while the site is built; a hook of mkdocs.yml."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from gradetape import checks
from gradetape.checks import corners
from gradetape.cli import cli
from gradetape.course import config
from gradetape.course.assignments import AssignmentSpec
from gradetape.course.strict_yaml import StrictModel, every_key
from gradetape.judge.registry import FIXTURES, MARKS

_WIDTH = 100
_CORNER_EXAMPLE = """\
cases = {name: (rng.normal(size=shape),) for name, shape in corners.shapes(range(1, 6)).items()}
assert_each(student.sum_of_all, cases, lambda x: x.sum())
"""
_ANNOTATION = re.compile(r"(: |-> )'([^']*)'")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages to the site."""
    pages = {"commands": commands, "configuration": configuration, "vocabulary": vocabulary, "corners": corner_inputs}
    for name, page in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=page()))
    return files


def commands() -> str:
    """Every command with its `--help`."""
    parts = [f"## `{name}`\n\n```text\n{text}\n```" for name, text in _helps(cli, "gradetape", None)]
    return "# Commands\n\nThe `--help` of each command.\n\n" + "\n\n".join(parts) + "\n"


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    settings = {"terminal_width": _WIDTH} | command.context_settings
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            if inner := command.get_command(context, verb):
                yield from _helps(inner, verb, context)


def configuration() -> str:
    """Every key of the two configuration files."""
    return (
        "# Configuration\n\nAn unknown key or an unfit value is reported with its line.\n\n"
        "## grader_config.yml\n\nIt is in the course's folder. Every key is optional. `make "
        "grader_config.schema.json` in gradetape's repository writes the schema for completion in editors.\n\n"
        f"{_keys(config.Config)}\n"
        f"## assignment.yml\n\nIt is in each folder of `assignments/`; students may see it.\n\n"
        f"{_keys(AssignmentSpec)}"
    )


def _keys(model: type[StrictModel]) -> str:
    rows = (
        f"| `{name}` | {f'`{text}`' if (text := _default(field)) else ''} | {field.description} |\n"
        for name, field in every_key(model)
    )
    return "| key | default | meaning |\n|---|---|---|\n" + "".join(rows)


def _default(field: Any) -> str:
    return "" if field.is_required() or isinstance(field.default, StrictModel) else config.default_text(field)


def vocabulary() -> str:
    """The marks, fixtures and names that checks use."""
    marks = "".join(f"| `@{mark.signature}` | {mark.description} |\n" for mark in MARKS)
    fixtures = "".join(f"| `{each.name}` | {each.description} | {_yes(each.in_notebook)} |\n" for each in FIXTURES)
    marked = {mark.name for mark in MARKS}
    names = [name for name in checks.__all__ if name not in marked]
    entries = "\n".join(_entry(name, getattr(checks, name)) for name in names)
    return (
        "# Vocabulary\n\nWhat checks import from `gradetape.checks`. [Writing a question](../authoring.md) shows how "
        f"they are used.\n\n## Marks\n\n| mark | meaning |\n|---|---|\n{marks}\n"
        "## Fixtures\n\nA check takes a fixture as an argument.\n\n"
        f"| fixture | meaning | in public checks |\n|---|---|---|\n{fixtures}\n{entries}"
    )


def corner_inputs() -> str:
    """The functions that give inputs by name."""
    functions = [
        each for _, each in inspect.getmembers(corners, inspect.isfunction) if not each.__name__.startswith("_")
    ]
    ordered = sorted(functions, key=lambda each: each.__code__.co_firstlineno)
    entries = "\n".join(_entry(each.__name__, each) for each in ordered)
    return (
        "# Inputs at the corners\n\nWhat hidden checks import with `from gradetape.checks import corners`. A wrong "
        "answer often passes the inputs that come to mind first. These functions give the awkward ones, each with a "
        "description. Give them to [assert_each](vocabulary.md#assert_each), which runs all cases in one exchange with "
        "the worker and names the case that fails:\n\n"
        f"```python\n{_CORNER_EXAMPLE}```\n\n{entries}"
    )


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _entry(name: str, thing: Any) -> str:
    about = inspect.cleandoc(thing.__doc__ or "").split("\n\n")
    return f"## {name}\n\n```python\n{name}{_signature(thing)}\n```\n\n" + "\n\n".join(map(_paragraph, about)) + "\n"


def _signature(thing: Any) -> str:
    if isinstance(thing, checks.in_worker):
        [function] = ast.parse(thing.gradetape_source().text).body
        return f"({ast.unparse(function.args)})" if isinstance(function, ast.FunctionDef) else ""
    return "" if isinstance(thing, type) else _ANNOTATION.sub(r"\1\2", str(inspect.signature(thing)))


def _paragraph(text: str) -> str:
    """A paragraph of a docstring that parses is an example, and becomes a code block."""
    try:
        ast.parse(text)
    except SyntaxError:
        return text
    return f"```python\n{text}\n```"
