"""The same checks in one warm process without isolation, for comparison with gradetape.

`python -m benchmarks.in_process COURSE ASSIGNMENT REPEATS [CHECK...]` imports TensorFlow once, then forks a child for
each repeat, in which the reference's cells and every check, or only the named ones, run for the first time. It prints a
JSON list of seconds. With 0 repeats it prints an empty list when it is ready, and a list for each line that it reads.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
import tempfile
import time
import traceback
import types
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gradetape.course import assignments as courses
from gradetape.course.check_files import check_file
from gradetape.course.gradable import GradableAssignment
from gradetape.release import notebook_runtime
from gradetape.release.notebook_runtime import NotebookExporter, Student
from gradetape.remote import functions as worker_functions
from gradetape.remote import handles
from gradetape.worker import worker
from gradetape.worker.cells import Cells
from gradetape.worker.generation import keras
from gradetape.worker.output import Output


def in_worker(function: Callable[..., Any]) -> Callable[..., Any]:
    """In one process, a worker function is an ordinary function."""
    vars(sys.modules[function.__module__]).update(tf=tf, keras=keras, np=np)
    return function


class CleanWorker:
    """In one process, there is no worker without the student's code."""

    tf, keras = tf, keras

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Runs the function in this process."""
        return function(*args)

    def copy(self, folder: Path) -> Path:
        """Returns the folder: it is in this process already."""
        return folder


def checks(path: Path) -> list[Callable[..., None]]:
    """The functions of a check file."""
    spec = importlib.util.spec_from_file_location(f"checks_{path.parent.name}_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return [value for name, value in vars(module).items() if name.startswith("test_")]


def run(gradable: GradableAssignment, functions: list[tuple[str, Callable[..., None]]]) -> float:
    """Runs cells and checks like a worker; returns the seconds."""
    start = time.perf_counter()
    worker.prepare()
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    cells = Cells(main, Output(1 << 16))
    for index, cell in enumerate(gradable.reference):
        result = cells.run(index, cell.source, False)
        assert not result["error"], result
    for question_id, function in functions:
        name = function.__name__
        worker.seed(zlib.crc32(name.encode()))
        fixtures = {
            "student": main, "reference": main, "keras": keras, "tf": tf, "clean": CleanWorker(),
            "rng": np.random.default_rng(zlib.crc32(name.encode())), "worker_tmp_path": Path(tempfile.mkdtemp()),
            "source": "\n\n".join(cell.source for cell in gradable.reference if cell.question == question_id),
            "exported": NotebookExporter(Student(vars(main))),
        }  # fmt: skip
        wanted = inspect.signature(function).parameters
        try:
            function(**{key: fixtures[key] for key in wanted})
        except AssertionError:
            if "clean" not in wanted:  # a check that needs a separate clean process cannot pass here
                raise
    return time.perf_counter() - start


def repeated(
    gradable: GradableAssignment, functions: list[tuple[str, Callable[..., None]]], repeats: int
) -> list[float]:
    """Forks a child process for each repeat; returns their seconds."""
    found = []
    for _ in range(repeats):
        read, write = os.pipe()
        if os.fork() == 0:
            try:
                told: object = run(gradable, functions)
            except BaseException:
                told = traceback.format_exc()[-2000:]  # the descriptor of errors is the cells' own
            os.write(write, json.dumps(told).encode())
            os._exit(0)
        os.close(write)
        os.wait()
        with os.fdopen(read, "rb") as answer:
            seconds = json.loads(answer.read() or b'"the process ended"')
        if isinstance(seconds, str):
            raise SystemExit(seconds)
        found.append(seconds)
    return found


def wanted(gradable: GradableAssignment, only: list[str]) -> list[tuple[str, Callable[..., None]]]:
    """The checks, each with its question."""
    found = []
    for path in gradable.check_files:
        if (file := check_file(path)) is not None:
            kind = "public" if file.public else "hidden"
            named = [(f"{file.question}::{kind}::{function.__name__}", function) for function in checks(path)]
            found += [(file.question, function) for name, function in named if not only or name in only]
    return found


def main() -> None:
    """Runs the repeats, and then as many as there are lines of input if none are asked for."""
    root, assignment, repeats, *only = sys.argv[1:]
    worker_functions.WorkerFunction = in_worker  # type: ignore[assignment, misc]  # before anything imports the vocabulary
    handles.InvalidArgumentError = tf.errors.InvalidArgumentError  # type: ignore[misc]
    graphs = importlib.import_module("gradetape.checks.graphs")
    vars(notebook_runtime).update(export_graphs=graphs.export_graphs, restore_graphs=graphs.restore_graphs)
    gradable = GradableAssignment.open(courses.find(Path(root)), assignment)
    functions = wanted(gradable, only)
    print(json.dumps(repeated(gradable, functions, int(repeats))), flush=True)
    for _ in sys.stdin if repeats == "0" else ():
        print(json.dumps(repeated(gradable, functions, 1)), flush=True)


if __name__ == "__main__":
    main()
