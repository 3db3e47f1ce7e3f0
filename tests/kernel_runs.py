"""Runs notebooks in real kernels, and in forks of a process that has the worker's cells, without TensorFlow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from gradetape.runtime.launch import ENVIRONMENT

PARALLEL = 4
# Cells of their own tell the names and values at the end, in both.
PROBE = """
def _plain(value, depth=0):
    kind = type(value)
    if kind in (bool, int, float, complex, str, bytes, type(None)):
        return repr(value)
    if kind in (list, tuple) and depth < 5:
        return kind.__name__ + repr([_plain(each, depth + 1) for each in value])
    if kind in (dict, set, frozenset) and depth < 5:
        parts = value.items() if kind is dict else value
        return kind.__name__ + repr(sorted(_plain(each, depth + 1) for each in parts))
    if kind.__module__ == 'numpy' and hasattr(value, 'tolist'):
        return kind.__name__ + repr(value.tolist())
    return f'<{kind.__name__}>'

_own = {'In', 'Out', 'exit', 'quit', 'get_ipython', 'open', 'grader'}
_found = {name: _plain(value) for name, value in globals().items() if not name.startswith('_') and name not in _own}
import json as _json, sys as _sys
with open(_sys.modules['os'].environ['GT_PROBE'], 'w') as _file:
    _file.write(_json.dumps(_found))
"""
_NAMES = re.compile(r"<cell [\d.]+>|\S*/ipykernel_\d+/\d+\.py|\b\d+\.py(?=, line)|<timed \w+>")
_TIMES = re.compile(r"^(?:CPU times:|Wall time:|Compiler|Parser|.* per loop \(mean).*\n", re.MULTILINE)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Ran(NamedTuple):
    """What came of a notebook: the names and values at its end, the error and the text of each cell.

    `salvaged` and `notes` are what a worker adds.
    """

    names: list[str]
    values: dict[str, str]
    errors: list[str]
    text: list[str]
    salvaged: list[str]
    notes: list[str]


def in_kernels(notebooks: dict[str, Sequence[str]]) -> dict[str, Ran]:
    """Runs each notebook in an ipykernel of its own."""
    return _ran_by("kernels", notebooks, dict(os.environ))


def in_workers(notebooks: dict[str, Sequence[str]]) -> dict[str, Ran]:
    """Runs each notebook in a fork of a process that has made a worker's cells."""
    return _ran_by("forks", notebooks, {**ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd()})


def salvaged(cells: list[str]) -> list[str]:
    """What is told of the salvage of each cell, each in a notebook of its own."""
    ran = in_workers({str(number): [cell] for number, cell in enumerate(cells)})
    return ["\n".join(each.salvaged) for each in ran.values()]


def _ran_by(how: str, notebooks: dict[str, Sequence[str]], variables: dict[str, str]) -> dict[str, Ran]:
    with tempfile.TemporaryDirectory() as folder:
        given, results = os.path.join(folder, "given"), os.path.join(folder, "results")
        with open(given, "w") as file:
            json.dump({name: list(cells) for name, cells in notebooks.items()}, file)
        command = [sys.executable, "-s", "-m", "tests.kernel_runs", how, given, results]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=variables)
        assert run.returncode == 0, run.stderr[-4000:]
        with open(results) as file:
            return {name: Ran(*found) for name, found in json.load(file).items()}


def _all_in_kernels(notebooks: dict[str, list[str]]) -> dict[str, Ran]:
    with ThreadPoolExecutor(PARALLEL) as pool:
        return dict(zip(notebooks, pool.map(_in_a_kernel, notebooks, notebooks.values()), strict=True))


def _in_a_kernel(name: str, cells: list[str]) -> Ran:
    """Runs a notebook, and once more if a message of the kernel was lost, as happens on a busy machine."""
    from nbclient.exceptions import CellTimeoutError

    for last in (False, True):
        try:
            return _once_in_a_kernel(cells)
        except CellTimeoutError as error:
            if last:
                raise RuntimeError(f"the kernel does not end {name!r}") from error
    raise AssertionError


def _once_in_a_kernel(cells: list[str]) -> Ran:
    import nbformat
    from nbclient import NotebookClient

    errors: list[str] = []

    def keep(execute_reply: dict[str, Any], **_: Any) -> None:
        reply = execute_reply["content"]
        errors.append(f"{reply['ename']}: {reply['evalue']}" if reply["status"] == "error" else "")

    # An empty cell is not run at all.
    shown = [cell if cell.strip() else "pass" for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in [*shown, PROBE]])
    with tempfile.TemporaryDirectory() as folder:
        probe = os.path.join(folder, "probe")
        os.mkdir(work := os.path.join(folder, "work"))
        variables = {"GT_PROBE": probe, "HOME": folder, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        client = NotebookClient(
            notebook, kernel_name="python3", allow_errors=True, timeout=60, on_cell_executed=keep,
            resources={"metadata": {"path": work}},
        )  # fmt: skip
        client.execute(env=variables)
        with open(probe) as file:
            values = json.load(file)
    text = ["".join(_printed(output) for output in cell.outputs) for cell in notebook.cells[:-1]]
    return _ran(values, errors[:-1], text)


def _printed(output: Any) -> str:
    return str(output.text) if output.output_type == "stream" else ""


def _ran(values: dict[str, str], errors: list[str], text: list[str], **more: list[str]) -> Ran:
    told = {"salvaged": [], "notes": [], **more}
    errors, text = [_same(each).rstrip(": ") for each in errors], [_same(each) for each in text]
    return Ran(sorted(values), values, errors, text, **told)


def _same(text: str) -> str:
    """A text without what differs from run to run."""
    return _NAMES.sub("CELL", _TIMES.sub("", _ANSI.sub("", text).replace("\r\n", "\n")))


def _all_in_forks(notebooks: dict[str, list[str]]) -> dict[str, list[Any]]:
    from gradetape.worker.cells import Cells
    from gradetape.worker.output import Output, Stream

    main, output = types.ModuleType("__main__"), Output(1 << 16)
    cells = Cells(main, output)
    found = {}
    for name, sources in notebooks.items():
        with tempfile.TemporaryDirectory() as folder:
            pid = os.fork()
            if not pid:
                sys.modules["__main__"] = main
                sys.stdout, sys.stderr = Stream("stdout", 1, output), Stream("stderr", 2, output)
                _child(lambda index, source: cells.run(index, source, False), sources, folder)
            os.waitpid(pid, 0)
            with open(os.path.join(folder, "found")) as file:
                found[name] = json.load(file)
    return found


def _child(run: Callable[[int, str], dict[str, str]], sources: list[str], folder: str) -> None:
    os.environ.update(HOME=folder, GT_PROBE=os.path.join(folder, "probe"))
    os.mkdir(work := os.path.join(folder, "work"))
    os.chdir(work)
    answers = [run(index, source) for index, source in enumerate([*sources, PROBE])]
    with open(os.path.join(folder, "probe")) as file:
        values = json.load(file)
    errors = ["\n".join(line for line in each["error"].splitlines() if not line.startswith("  ")) for each in answers]
    told = {"salvaged": [each["salvaged"] for each in answers[:-1]], "notes": [each["note"] for each in answers[:-1]]}
    ran = _ran(values, errors[:-1], [each["output"] for each in answers[:-1]], **told)
    with open(os.path.join(folder, "found"), "w") as file:
        json.dump(ran, file)
    os._exit(0)


def main(how: str, given: str, results: str) -> None:
    """Runs the notebooks in one file, and writes into the other one what came of them."""
    with open(given) as file:
        notebooks = json.load(file)
    found = _all_in_kernels(notebooks) if how == "kernels" else _all_in_forks(notebooks)
    with open(results, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
