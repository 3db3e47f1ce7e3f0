"""Makes examples/submissions/ from student/custom-training/ and the answers in examples/answers/.

    python examples/make.py [NAME…]

Each submission is the released notebook with a student's answers in it, run in a real kernel as a student would run it.
Run it again when the release changes, and look at the difference before you commit it.
"""

from __future__ import annotations

import copy
import os
import random
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "student" / "custom-training"
ANSWERS = ROOT / "examples" / "answers"
SUBMISSIONS = ROOT / "examples" / "submissions"
NAME = "custom-training.ipynb"
PATIENCE_S = 60

# Each submission's answers: a question is answered by the last of these folders that has a file for it.
RECIPES = {
    "perfect_in_another_style": ["perfect"],
    "perfect_and_terse": ["terse"],
    "partial": ["partial"],
    "empty": [],
    "syntax_error": ["perfect", "syntax_error"],
    "raising_cell": ["perfect", "raising_cell"],
    "endless_loop": ["perfect", "endless_loop"],
    "endless_training": ["perfect", "endless_training"],
    "defined_twice_and_out_of_order": ["perfect", "defined_twice"],
    "renamed_split_moved": ["perfect"],
    "otter_export": ["perfect"],
    "script": ["perfect"],
}


def answered(folders: list[str]) -> Any:
    """The released notebook with the answers of some folders in the place of the starters."""
    notebook = nbformat.read(RELEASED / NAME, as_version=4)
    cells, seen = [], set()
    for cell in notebook.cells:
        question_id = next((tag[9:] for tag in cell.metadata.get("tags", []) if tag.startswith("question:")), "")
        files = [file for folder in folders if (file := ANSWERS / folder / f"{question_id}.py").is_file()]
        if not files:
            cells.append(cell)
        elif question_id not in seen:
            cells += [_code(source, cell.metadata) for source in split(files[-1])]
        seen.add(question_id)
    notebook.cells = cells
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:03}"
    return notebook


def split(file: Path) -> list[str]:
    """The cells of a file of answers."""
    return [cell.strip() for cell in file.read_text(encoding="utf-8").split("# %%\n") if cell.strip()]


def _code(source: str, metadata: dict[str, Any]) -> Any:
    return nbformat.v4.new_code_cell(source, metadata=copy.deepcopy(metadata))


def execute(notebook: Any, folder: Path) -> None:
    """Runs the notebook beside its tests, saved before its last cell; a cell without end is interrupted."""
    shutil.copytree(RELEASED / "tests", folder / "tests")
    client = NotebookClient(
        notebook, timeout=PATIENCE_S, interrupt_on_timeout=True, allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            if "grader.export" in cell.source:
                nbformat.write(_tidy(notebook), folder / NAME)
            _run(client, cell, index)
    _tidy(notebook)


def _run(client: NotebookClient, cell: Any, index: int) -> None:
    try:
        client.execute_cell(cell, index)
    except CellTimeoutError:
        print(f"cell {index} was interrupted")


def _tidy(notebook: Any) -> Any:
    """Leaves out where this machine keeps its packages, when it ran, and what TensorFlow logs of its devices."""
    paths = {sysconfig.get_path("purelib"): "~/course/.venv/lib/python3/site-packages",
             sysconfig.get_path("stdlib"): "/usr/lib/python3"}  # fmt: skip
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.get("outputs", []):
            for key in ("text", "traceback", "evalue"):
                if key in output:
                    output[key] = _replaced(output[key], paths)
    notebook.metadata.get("language_info", {}).pop("version", None)
    return notebook


def _replaced(text: Any, paths: dict[str, str]) -> Any:
    if isinstance(text, list):
        return [_replaced(line, paths) for line in text]
    for path, shown in paths.items():
        text = text.replace(path, shown)
    return re.sub(r"/tmp/(ipykernel_|tmp)\w+", r"/tmp/\1", text)


def as_notebook(name: str, notebook: Any, _: Path) -> None:
    """The notebook as it was saved."""
    nbformat.write(notebook, SUBMISSIONS / f"{name}.ipynb")


def as_zip(name: str, _: Any, folder: Path) -> None:
    """The zip that the notebook's last cell made."""
    (made,) = folder.glob("*.zip")
    shutil.copyfile(made, SUBMISSIONS / f"{name}.zip")


def as_script(name: str, notebook: Any, _: Path) -> None:
    """Jupyter's 'Save as executable script': no metadata, no outputs."""
    parts = ["#!/usr/bin/env python", "# coding: utf-8"]
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            parts.append(f"# In[{number}]:\n\n\n{cell.source}")
        elif cell.source.strip():
            parts.append("\n".join(f"# {line}".rstrip() for line in cell.source.splitlines()))
    (SUBMISSIONS / f"{name}.py").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def as_mess(name: str, notebook: Any, _: Path) -> None:
    """Cells cut in two, copied and moved, in a notebook that has lost all its metadata."""
    cells = []
    for cell in notebook.cells:
        parts = re.split(r"\n\n\n(?=\S)", cell.source) if cell.cell_type == "code" else [cell.source]
        cells += [(cell.cell_type, part) for part in parts if "grader." not in part]
    first = next(number for number, (kind, _) in enumerate(cells) if kind == "code" and "import tensorflow" in _)
    imports, others = cells[first], [cell for number, cell in enumerate(cells) if number != first]
    random.Random(6).shuffle(others)
    copied = next(source for kind, source in others if source.startswith("def within"))
    mess = [imports, *others, ("code", copied)]
    make: dict[str, Callable[..., Any]] = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    bare = nbformat.v4.new_notebook(cells=[make[kind](source) for kind, source in mess])
    for number, cell in enumerate(bare.cells):
        cell.id = f"c{number}"
    nbformat.write(bare, SUBMISSIONS / f"{name}.ipynb")


HANDED_IN = {"otter_export": as_zip, "script": as_script, "renamed_split_moved": as_mess}
NEVER_RUN = {"empty", "script", "renamed_split_moved"}


def make(name: str) -> None:
    """Makes one submission."""
    notebook = answered(RECIPES[name])
    with tempfile.TemporaryDirectory() as folder:
        if name not in NEVER_RUN:
            execute(notebook, Path(folder))
        HANDED_IN.get(name, as_notebook)(name, notebook, Path(folder))
    print(name)


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    SUBMISSIONS.mkdir(exist_ok=True)
    for wanted in sys.argv[1:] or RECIPES:
        make(wanted)
