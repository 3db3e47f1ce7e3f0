"""The reference pages of the documentation, made of the code as the site is built; mkdocs.yml names this file."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from gradetape import checks
from gradetape.cli import cli
from gradetape.course import config
from gradetape.course.assignments import AssignmentSpec
from gradetape.judge.plugin import MARKS

_WIDTH = 100


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages to the site."""
    pages = {"commands": commands, "configuration": configuration, "vocabulary": vocabulary}
    for name, page in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=page()))
    return files


def commands() -> str:
    """Every command with what its `--help` says."""
    parts = [f"## `{name}`\n\n```text\n{text}\n```" for name, text in _helps(cli, "gradetape", None)]
    return "# Commands\n\nWhat `--help` says of each.\n\n" + "\n\n".join(parts) + "\n"


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
        "# Configuration\n\nAn unknown key or a value that does not fit is refused with its line.\n\n"
        "## grader_config.yml\n\nIt lies in the course's folder. Every key may be left out; `make "
        "grader_config.schema.json` in gradetape's own repository makes the schema by which editors complete it.\n\n"
        f"{_keys(config.Config)}\n"
        f"## assignment.yml\n\nIt lies in each folder of `assignments/`, and students may see it.\n\n"
        f"{_keys(AssignmentSpec)}"
    )


def _keys(model: type[config.StrictModel]) -> str:
    rows = (
        f"| `{name}` | {f'`{text}`' if (text := _default(field)) else ''} | {field.description} |\n"
        for name, field in config.every_key(model)
    )
    return "| key | default | meaning |\n|---|---|---|\n" + "".join(rows)


def _default(field: Any) -> str:
    return "" if field.is_required() or isinstance(field.default, config.StrictModel) else config.default_text(field)


def vocabulary() -> str:
    """What checks import from `gradetape.checks`."""
    marks = "".join(f"| `@{mark.split(':')[0]}` | {mark.split(': ', 1)[1]} |\n" for mark in MARKS)
    marked = {mark.split(":")[0].split("(")[0] for mark in MARKS}
    names = [name for name in checks.__all__ if name not in marked]
    entries = "\n".join(_entry(name, getattr(checks, name)) for name in names)
    return (
        "# Vocabulary\n\nWhat checks import from `gradetape.checks`. [Writing a question](../authoring.md) shows how "
        f"they are used.\n\n## Marks\n\n| mark | says |\n|---|---|\n{marks}\n{entries}"
    )


def _entry(name: str, thing: Any) -> str:
    about = inspect.cleandoc(thing.__doc__ or "").split("\n\n")
    return f"## {name}\n\n```python\n{name}{_signature(thing)}\n```\n\n" + "\n\n".join(map(_paragraph, about)) + "\n"


def _signature(thing: Any) -> str:
    if isinstance(thing, checks.in_worker):
        [function] = ast.parse(thing.gradetape_source().text).body
        return f"({ast.unparse(function.args)})" if isinstance(function, ast.FunctionDef) else ""
    return "" if isinstance(thing, type) else str(inspect.signature(thing)).replace("'", "")


def _paragraph(text: str) -> str:
    """Docstrings hold their examples as paragraphs of code."""
    try:
        ast.parse(text)
    except SyntaxError:
        return text
    return f"```python\n{text}\n```"
