"""Of a cell that failed, what it defines is used: which statements are run, and what is told about it."""

from __future__ import annotations

import ast
import functools
import math
from typing import Any

import numpy as np
import pytest

from gradetape.worker.cheap import is_cheap
from gradetape.worker.salvage import defines_new, python_text
from tests.kernel_runs import salvaged

NAMES: dict[str, Any] = {
    "np": np, "math": math, "functools": functools, "HALF": 0.5, "WORD": "word", "g": len, "Own": type("Own", (), {}),
    "ARRAY": np.ones(3),
}  # fmt: skip
CHEAP = (
    "import seaborn", "from math import *", "def f(x=1): return x", "class A:\n    b = 1",
    "async def f(): pass", "x = 1", "x = -1.5", "x: int = 3", "x: int", "x = y = 'a'", "x, y = 1, (2, [3])",
    "x = {'a': {1, 2}, **{}}",
    "x = 1 / 2", "x = 2 * math.pi", "x = HALF * 3 - 1", "x = 2 ** 10", "x = HALF < 1", "x = not HALF",
    "x = HALF or None",
    "x = lambda y: train(y)", "x = np", "x = np.float32", "x = math.pi", "x = g", "x = functools.partial(g, [1])",
    "x = np.array([1, 2.5])", "x = np.random.default_rng(3)", "x = int('3')", "x = set()", "x = dict(a=1)",
    "try:\n    import a\nexcept ImportError:\n    a = None", "if HALF < 1:\n    x = 2\nelse:\n    def f(): pass",
)  # fmt: skip
DEAR = (
    "f()", "x = f()",
    "x = g([1])", "x = Own()", "x = np.ones(10**9)", "x = [0] * 10**9", "x = 10 ** 10 ** 10",
    "x = 1 << 10**9", "x = WORD * 10**9", "x = ARRAY @ ARRAY", "x = ARRAY + 1", "x = [i for i in range(3)]",
    "x = Own.b", "x = ARRAY.T", "x = open('a')", "x = list(range(10**9))", "x = math.factorial(10**6)",
    "x += 1", "del x", "1 / 0",
    "while True: pass", "for i in x: pass", "with open('a'): pass", "assert True", "raise ValueError", "print('a')",
    "x = np.array(g(1))", "x = await f()", "if f():\n    x = 1", "try:\n    f()\nexcept ValueError:\n    x = 1",
    "x = __import__('os')._exit(3)", "x = np.__dict__", "x = f'{g}'",
)  # fmt: skip


@pytest.mark.parametrize("text", CHEAP)
def test_what_defines_something_at_next_to_no_cost_is_run(text: str) -> None:
    assert is_cheap(ast.parse(text).body[0], NAMES)


@pytest.mark.parametrize("text", DEAR)
def test_what_may_cost_something_is_not_run(text: str) -> None:
    assert not is_cheap(ast.parse(text).body[0], NAMES)


MAGICS = {
    "%%time\na = 1": "\na = 1",
    "%%capture out\n%%time\na = 1": "\n\na = 1",
    "%%memit\na = 1": "\na = 1",
    "%%bash\nls": "",
    "\n%%time -x\n\na = 1": "\n\n\na = 1",
    "a = 1\n%%time": "a = 1\n%%time",
    "%%time": "",
}


@pytest.mark.parametrize("source", MAGICS)
def test_the_code_in_a_magic_keeps_its_lines(source: str) -> None:
    assert python_text(source, ("bash", "time", "capture").__contains__) == MAGICS[source]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_defines_its_own_name_and_none_of_those_inside(kind: str) -> None:
    (statement,) = ast.parse(f"{kind} new():\n    HALF = 2").body
    assert defines_new(statement, NAMES)
    assert not defines_new(statement, {"new": None})


FAILED = {
    "import nothing\ndef f(): return HALF\nHALF = 1 / 2\nprint(f())\nclass C: pass": (
        "line 1 failed; of the rest, this was still run: def f; HALF; class C; left out: line 4"
    ),
    "a = 1\nb = 1 / 0\nimport math, nothing\nimport math\nx, y = 1, 2": (
        "line 2 failed; of the rest, this was still run: import math; x, y; left out: line 3"
    ),
    "%%time\nraise ValueError\na = 3": "line 1 failed; of the rest, this was still run: a",
    "%%capture out\nraise ValueError\na = 3": "line 1 failed; of the rest, this was still run: a",
    "def f():\n    raise ValueError\nf()\na = 2": "line 3 failed; of the rest, this was still run: a",
    "for i in [1]:\n    if i:\n        raise ValueError\n    i\na = 2": (
        "lines 1-4 failed; of the rest, this was still run: a"
    ),
    "await nothing\nasync def g(): pass": "line 1 failed; of the rest, this was still run: def g",
    "1 / 0\nprint('a')": "",
    "1 / 0": "",
    "a = 1\nreturn a\nb = 2": "line 2 failed; of the rest, this was still run: b",
    "a = 1\nb = (": "",
}


def test_student_and_staff_read_which_line_failed_and_what_was_still_run() -> None:
    assert salvaged(list(FAILED)) == list(FAILED.values())
