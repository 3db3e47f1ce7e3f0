"""Similar submissions in a class: the time of `gradetape similar`, and whether it finds copies that were planted."""

from __future__ import annotations

import os
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.classes import copy_of
from benchmarks.measure import Row, Setting, run_program, seconds
from gradetape.gradebook import Gradebook, NewAttempt
from gradetape.records import Cell, Grade, Status

_EVERY = 8  # one cell in so many is the reference's, as honest answers agree
_CALLS = ("tf.reduce_sum", "tf.matmul", "np.stack", "tf.cast", "keras.ops.mean", "np.where", "tf.gather", "abs", "len")
_FORMS = (
    "{0} = {c}({1}, axis={n})", "{0} = {1} * {n} + {c}({2})", "if {0} > {n}:\n        {1} = {c}({0}, {2})",
    "for {0} in range({n}):\n        {1} += {c}({2}[{0}])", "{0} = [{c}({1}) for {1} in {2}]",
    "print({c}({0}), {1}[{n}:], sep='; ')", "{0}, {1} = {c}({2}), {1}[:, None] / {n}",
)  # fmt: skip
_NAME = re.compile(r"\bv(\d+)\b")


def similar(setting: Setting) -> list[Row]:
    """The whole command on a class in which one student in fifty has copied half of another's cells and renamed."""
    count, copied = setting.students, max(1, setting.students // 50)
    with tempfile.TemporaryDirectory(prefix="gradetape-bench-") as folder:
        root = copy_of(setting.gradable, Path(folder) / "course")
        name = setting.gradable.assignment.name
        with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
            book.record_each([*map(NewAttempt, _class(name, setting.gradable.reference, count, copied))], name)
        command = [Path(sys.executable).with_name("gradetape"), "similar", "--top", str(copied), "--json"]
        said, before = list[str](), os.times()
        taken = seconds(lambda: said.append(run_program(command, root)))
        after = os.times()
    computed = after.children_user + after.children_system - before.children_user - before.children_system
    found = len({*re.findall(r'"student": "copy (\d+)"', said[0])})
    return [
        (f"similar: {count} submissions, from the command to its pages", f"{taken:.0f} s", "600 s"),
        ("the same, its CPU time", f"{computed:.0f} s", ""),
        (f"similar: of {copied} copies with other names, among the first {copied} pairs", str(found), str(copied)),
    ]


def _class(assignment: str, reference: Sequence[Cell], count: int, copied: int) -> Iterator[Grade]:
    """The class: students whose cells are their own but for one in eight, and the last ones, who copy."""
    sources = [[cell.source for cell in _own(student, reference)] for student in range(count - copied)]
    for student, cells in enumerate(sources):
        yield _grade(assignment, f"student {student:04}", reference, cells)
    for number in range(copied):
        theirs = [_NAME.sub(r"other_\1", text) for text in sources[number]]
        cells = [_written(random.Random(f"copy {number} {place}"), text) for place, text in enumerate(theirs)]
        half = [mine if place % 2 else text for place, (mine, text) in enumerate(zip(cells, theirs, strict=True))]
        yield _grade(assignment, f"copy {number:04}", reference, half)


def _own(student: int, reference: Sequence[Cell]) -> Iterator[Cell]:
    for place, cell in enumerate(reference):
        is_same = (student + place) % _EVERY == 0
        yield cell if is_same else Cell(source=_written(random.Random(f"{student} {place}"), cell.source))


def _written(rng: random.Random, like: str) -> str:
    """Code that nobody else has, about as long as another text."""
    lines = [f"def f{rng.randrange(100)}(v0, v1, v2):"]
    while sum(map(len, lines)) < len(like):
        names = (f"v{rng.randrange(9)}" for _ in range(3))
        lines.append("    " + rng.choice(_FORMS).format(*names, c=rng.choice(_CALLS), n=rng.randrange(30)))
    return "\n".join([*lines, "    return v0\n"])


def _grade(assignment: str, student: str, reference: Sequence[Cell], sources: Sequence[str]) -> Grade:
    cells = (Cell(source=text, question=cell.question) for cell, text in zip(reference, sources, strict=True))
    return Grade(
        assignment=assignment, student=student, file=f"{student}.ipynb", sha256="0" * 64, key=student,
        status=Status.GRADED, isolation="namespaces", cells=tuple(cells),
    )  # fmt: skip
