"""The students' notebook of an assignment, built by `otter assign` and then made reproducible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

from nbformat import v4

from gradetape.course.assignments import Assignment, QuestionSource
from gradetape.course.requirements import misspelt, without_comments
from gradetape.course.source import CellKind, SourceCell
from gradetape.course.written import ANSWER_CELL
from gradetape.errors import ReleaseError
from gradetape.release.links import with_attachments
from gradetape.release.starter import starter_cells
from gradetape.release.texts import due, read, shipped
from gradetape.text import as_points, text_digest

NB: Any = v4  # Its functions carry no annotations.
_DIRECTIVES = (
    "Remove the text that it reads as a directive: # IGNORE, # SEED, # BEGIN …, # END …, or an ```otter block."
)


def notebook(assignment: Assignment, work: Path, legacy_keras: bool) -> str:
    """Return the text of the students' notebook; `work` is an empty folder for temporary files.

    Raises:
        ReleaseError: otter does not build the notebook, or changes one of its cells.
    """
    question_source = NB.new_notebook(cells=list(_cells(assignment, legacy_keras)), metadata=_metadata(assignment))
    built = _assigned(question_source, work, assignment)
    _refuse_changes(question_source, built, assignment)
    _set_up_after_introduction(built)
    _name_missing_folder(built, assignment)
    if assignment.written_sources:
        _mark_released(built)
    for number, cell in enumerate(built.cells):
        cell.id = f"cell-{number:03}"
    return str(NB.writes(built)) + "\n"


def _metadata(assignment: Assignment) -> dict[str, Any]:
    return {
        "gradetape": {"assignment": assignment.name},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


# The source notebook, with otter's directives in raw cells


def _cells(assignment: Assignment, legacy_keras: bool) -> Iterator[Any]:
    yield _raw("# ASSIGNMENT CONFIG", _config(assignment))
    yield _markdown(_for_students(assignment.introduction).strip(), assignment.introduction, assignment)
    yield NB.new_markdown_cell(_instructions(legacy_keras))
    if legacy_keras:
        yield NB.new_code_cell("%env TF_USE_LEGACY_KERAS=1")
    for question_source in assignment.all_sources:
        cells = _written_cells if question_source.is_written else _question_cells
        yield from cells(question_source, assignment)


def _instructions(legacy_keras: bool) -> str:
    keras = shipped("keras_2.md" if legacy_keras else "keras_3.md").strip()
    return Template(shipped("before_you_start.md").strip()).substitute(keras=keras)


def _config(assignment: Assignment) -> dict[str, Any]:
    return {
        "name": assignment.name,
        # Makes otter find the notebook by itself, as on JupyterLite; elsewhere the first cell of a renamed one fails.
        "runs_on": "jupyterlite",
        "export_cell": {
            "instructions": f"{shipped('hand_in.md').strip()} {due(assignment.deadline)}",
            "pdf": False,
            "run_tests": False,
            "ignore_log": True,
        },
        "generate": False,
        "tests": {"files": True, "ok_format": True},
    }


def _question_cells(question_source: QuestionSource, assignment: Assignment) -> Iterator[Any]:
    question = question_source.question
    yield _raw("# BEGIN QUESTION", {"name": question.id})
    yield _markdown(_prompt(question_source), question_source.prompt, assignment)
    yield _raw("# BEGIN PROMPT")
    for cell in starter_cells(question_source.starter):
        yield _starter_cell(cell, question.id)
    yield _raw("# END PROMPT")
    yield _raw("# BEGIN TESTS")
    yield NB.new_code_cell("...")  # Otter adds a check cell only where it sees a test; the real tests are in tests/.
    yield _raw("# END TESTS")
    yield _raw("# END QUESTION")


def _written_cells(question_source: QuestionSource, assignment: Assignment) -> Iterator[Any]:
    """The prompt of a written question and the cells for its answer, which are marked for `intake.written`."""
    question_id = question_source.question.id
    prompt = _markdown(_prompt(question_source), question_source.prompt, assignment)
    prompt.metadata["tags"] = [f"written-prompt:{question_id}"]
    yield prompt
    metadata = {"tags": [f"written:{question_id}"]}
    if not question_source.starter.is_file():
        yield NB.new_markdown_cell(ANSWER_CELL, metadata=metadata)
        return
    for cell in starter_cells(question_source.starter):
        made = NB.new_markdown_cell if cell.kind is CellKind.MARKDOWN else NB.new_code_cell
        yield made(cell.text, metadata=metadata)


def _mark_released(built: Any) -> None:
    """Marks the cells that are no answers, so that what a student adds below an answer ends where they begin.

    The prompts of written questions get the digest of their text, since some answer in the prompt's cell.
    """
    for cell in built.cells:
        tags = cell.metadata.get("tags")
        if not tags:
            cell.metadata["tags"] = ["released"]
        elif tags[0].startswith("written-prompt:"):
            cell.metadata["gradetape"] = {"prompt": text_digest(cell.source)}


def _markdown(text: str, source: Path, assignment: Assignment) -> Any:
    text, attachments = with_attachments(text, source, assignment)
    return NB.new_markdown_cell(text, **({"attachments": attachments} if attachments else {}))


def _starter_cell(cell: SourceCell, question_id: str) -> Any:
    if cell.kind is CellKind.MARKDOWN:
        return NB.new_markdown_cell(cell.text)
    return NB.new_code_cell(cell.text, metadata={"tags": [f"question:{question_id}"]})


def _prompt(question_source: QuestionSource) -> str:
    """The prompt, whose first heading is replaced by one with the question's points."""
    text = _for_students(question_source.prompt).strip()
    first, _, rest = text.partition("\n")
    body = rest if first.startswith("#") else text
    worth = as_points(question_source.question.points)
    return f"## {question_source.question.title} ({worth})\n\n{body.strip()}"


def _for_students(path: Path) -> str:
    """A text without the comments that give requirements their ids."""
    text = read(path)
    for line, comment in misspelt(text):
        raise ReleaseError(
            f"{path}, line {line}: students would read the comment {comment!r}. Write it as <!-- requirement: ID -->, "
            "or remove it."
        )
    return without_comments(text)


def _raw(directive: str, config: dict[str, Any] | None = None) -> Any:
    return NB.new_raw_cell("\n".join([directive, *([json.dumps(config, ensure_ascii=False)] if config else [])]))


# Through otter


def _assigned(question_source: Any, work: Path, assignment: Assignment) -> Any:
    source = work / f"{assignment.name}.ipynb"
    source.write_text(NB.writes(question_source), encoding="utf-8")
    command = [sys.executable, "-m", "otter", "assign", source.name, "built", "--no-run-tests", "--no-pdfs"]
    # Otter leaves temporary folders behind; in the work folder they are removed with it.
    environment = {**os.environ, "TMPDIR": str(work), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        output = ((done.stderr or done.stdout).strip().splitlines() or ["no message"])[-1]
        raise ReleaseError(f"{assignment.folder}: otter assign did not build the notebook: {output}. {_DIRECTIVES}")
    return NB.reads((work / "built" / "student" / source.name).read_text(encoding="utf-8"))


def _refuse_changes(question_source: Any, built: Any, assignment: Assignment) -> None:
    """Refuse a text that holds one of otter's directives by chance: otter follows it and changes the cell."""
    kept = {cell.id: cell.source for cell in built.cells}
    for cell in question_source.cells:
        if cell.cell_type != "raw" and cell.source != "..." and kept.get(cell.id) != cell.source:
            start = cell.source.strip().partition("\n")[0]
            raise ReleaseError(
                f"{assignment.folder}: otter assign changes the cell that begins with {start!r}. {_DIRECTIVES}"
            )


def _set_up_after_introduction(built: Any) -> None:
    """Move otter's own first cell behind the introduction and the instructions."""
    built.cells[:3] = [*built.cells[1:3], built.cells[0]]


def _name_missing_folder(built: Any, assignment: Assignment) -> None:
    """Where otter finds no folder `tests`, it runs what the notebook's metadata holds: there, how to get the folder."""
    code = shipped("tests_missing.py")
    stubs = {question_id: f'{code}\n\nname = "{question_id}"\n' for question_id in assignment.question_ids}
    built.metadata.setdefault("otter", {}).update(tests=stubs, OK_FORMAT=False)
