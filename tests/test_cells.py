"""What happens to a notebook's cells in the worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec
import pytest

from gradetape.records import Cell, CellEvent
from gradetape.runtime.launch import LocalZygote
from gradetape.wire.operations import Operation
from tests.remote_sessions import LIMITS, OpenSession, open_session, started


class Run(Protocol):
    def __call__(self, *cells: str, **limits: Any) -> AbstractContextManager[OpenSession]: ...


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started() as zygote:
        yield zygote


@pytest.fixture
def run(zygote: LocalZygote) -> Run:
    """Runs cells in a worker of their own."""
    return lambda *cells, **limits: open_session(zygote, *cells, limits=msgspec.structs.replace(LIMITS, **limits))


def reported(opened: OpenSession) -> list[tuple[int, str]]:
    """The cells that were reported, and the kind of each event."""
    opened.session.ready()
    return [(event.cell, event.kind) for event in opened.session.report.events]


def text(opened: OpenSession, kind: str) -> str:
    """The one event of a kind."""
    (event,) = (event for event in opened.session.report.events if event.kind == kind)
    return event.text


MAGICS = {
    "%matplotlib inline\na = 1": {"a": 1},
    "!pip install tensorflow\na = 1": {"a": 1},
    "!rm -rf /\na = 1": {"a": 1},
    "%%time\na = 1\nb = a + 1": {"a": 1, "b": 2},
    "%time a = 1 + 1": {"a": 2},
    "%timeit -n 10 -r 3 a = 5\nb = 1": {"b": 1},
    "%%timeit -n 1\na = 1": {"a": 1},
    "%%capture out\na = 1\nprint(a)": {"a": 1},
    "%%time\n!pip install x\n%time a = 1": {"a": 1},
    "%%html\n<b>no Python</b>": {},
    "%%bash\nexit 0": {},
    "%%writefile model.py\nimport nothing_of_that_name": {},
    "import os\ny = %pwd\nz = os.getcwd() == y\nx = !ls -d /tmp\nx = list(x)": {"x": ["/tmp"], "z": True},
    "?print\nprint?\na = 1": {"a": 1},
    "%load_ext tensorboard\n%tensorboard --logdir logs\na = 1": {"a": 1},
    "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')\na = 1": {"a": 1},
    "from IPython.display import Image\ndisplay(3)\na = 1": {"a": 1},
}


@pytest.mark.parametrize("cell", MAGICS)
def test_magics_that_wrap_code_run_it_and_others_do_nothing(run: Run, cell: str) -> None:
    with run(cell, "after = 1") as opened:
        assert {kind for _, kind in reported(opened)} <= {"output", "note"}
        assert {name: getattr(opened.student, name) for name in MAGICS[cell]} == MAGICS[cell]
        assert opened.student.after == 1


def test_a_coroutine_that_only_a_timed_cell_defines_is_kept(run: Run) -> None:
    timed = "%%timeit -n 1 -r 1\nasync def f():\n    x = 3\n    return x"
    with run("x = 1", timed, "y = await f()") as opened:
        assert opened.student.y == 3


def test_autograph_reads_cells(run: Run) -> None:
    cell = """
import tensorflow as tf
@tf.function
def total(xs):
    result = 0.0
    for x in xs:
        if x > 1.0:
            result += x
    return result
"""
    with run(cell, "%%time\n" + cell.replace("total", "timed")) as opened:
        assert reported(opened) == [(1, "output")]
        assert opened.student.total([1.0, 2.0, 3.0]) == 5 and opened.student.timed([1.0, 2.0, 3.0]) == 5


def test_an_error_in_a_cell_keeps_the_rest(run: Run) -> None:
    with run("a = 1", "b = 2\nraise ValueError('no')\nc = 3", "d = a + b + c") as opened:
        assert reported(opened) == [(1, "error"), (1, "salvaged")]
        assert opened.student.d == 6
        assert 'File "<cell 2>", line 2' in text(opened, "error") and "raise ValueError('no')" in text(opened, "error")
        assert text(opened, "error").endswith("ValueError: no") and "cells.py" not in text(opened, "error")


def test_a_syntax_error_shows_its_line(run: Run) -> None:
    with run("def f(:\n    pass", "def g(): return 1") as opened:
        assert reported(opened) == [(0, "error")] and opened.student.g() == 1
        assert "def f(:" in text(opened, "error") and '"<cell 1>"' in text(opened, "error")


STRANGE = [
    "\0",
    "x = " + "(" * 500 + ")" * 500,
    "x = '\ud800'\nraise KeyError(x)",
    "class E(Exception):\n def __str__(s): 1/0\nraise E",
]


@pytest.mark.parametrize("cell", STRANGE)
def test_a_strange_cell_costs_only_itself(run: Run, cell: str) -> None:
    with run("a = 1", cell, "b = 1") as opened:
        assert (1, "error") in reported(opened) and opened.student.a == opened.student.b == 1


HANGING = """
import math
LIMIT = 3
limits: int = 4
def before(): return math.floor(LIMIT + 0.5)
{}
class After: x = 1
said = print()
"""


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("while True: pass", "timeout"),
        ("import time; time.sleep(1000)", "timeout"),
        ("import os; os._exit(0)", "exit status 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import os; os.kill(os.getpid(), 40)", "signal 40"),
        ("import os; os.kill(os.getpid(), 19)", "timeout"),
        ("import os; os.closerange(0, 1000)", "crashed"),
        ("import os; os.write(100, b'x' * 1000)", "invalid reply"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import numpy as np; x = np.ones(10**9)", "memory"),
    ],
)
def test_of_a_cell_that_ends_its_worker_the_definitions_stay(run: Run, how: str, cause: str) -> None:
    with run("a = 1", HANGING.format(how), "b = before()", cell_s=10.0 if cause == "memory" else 2.0) as opened:
        assert reported(opened) == [(1, "quarantined")]
        assert cause in text(opened, "quarantined") and "only its imports" in text(opened, "quarantined")
        assert (opened.student.a, opened.student.b, opened.student.LIMIT, opened.student.limits) == (1, 3, 3, 4)
        assert opened.student.After.x == 1


def test_the_definitions_of_a_timed_cell_stay_too(run: Run) -> None:
    with run("%%time\ndef f(): return 1\nimport os\nos._exit(0)", "b = f()") as opened:
        assert reported(opened) == [(0, "quarantined")] and opened.student.b == 1


def test_a_cell_whose_definitions_hang_is_left_out(run: Run) -> None:
    with run("a = 1", "def f(x=__import__('os')._exit(3)): pass", "b = 2") as opened:
        assert reported(opened) == [(1, "quarantined"), (1, "quarantined")]
        assert opened.session.report.events[1].text.endswith("none of it was used")
        assert opened.student.a + opened.student.b == 3


def test_cells_beyond_the_submissions_time_are_left_out(run: Run) -> None:
    with run("a = 1", "import time; time.sleep(30)", "b = 1", submission_s=1.0) as opened:
        assert {(0, "quarantined"), (1, "quarantined"), (2, "quarantined")} >= set(reported(opened)) > set()
        assert "the time limit of the whole submission was reached" in opened.session.report.events[-1].text


def test_the_last_definition_wins_and_copies_are_reported(run: Run) -> None:
    with run("def f(): return 1\ndef g(): pass", "def f(): return 2", "class f: x = 3") as opened:
        assert reported(opened) == [(1, "copied"), (2, "copied")]
        assert opened.student.f.x == 3
        assert opened.session.report.events[0].text == "defines f (also in cell 1); the last definition counts"
        assert "also in cell 2" in opened.session.report.events[1].text


def test_the_notebooks_own_grader_does_nothing(run: Run) -> None:
    cell = "import otter\nfrom otter import Notebook\ngrader = otter.Notebook('hw.ipynb')\nkept = grader.check('q1')"
    with run(cell, "grader.check_all()\ngrader.export(run_tests=True)", "a = grader.check('q2')") as opened:
        assert reported(opened) == [] and opened.student.kept is None is opened.student.a


def test_await_works_at_the_top(run: Run) -> None:
    with run(
        "import asyncio\nawait asyncio.sleep(0)\nx = [i async for i in agen()]", "async def agen():\n yield 1"
    ) as opened:
        assert reported(opened) == [(0, "error")]
    with run("import asyncio\nasync def f(): return 3\nx = await f()") as opened:
        assert reported(opened) == [] and opened.student.x == 3


def test_there_is_nobody_to_type_an_answer(run: Run) -> None:
    with run("name = input('Your name? ')", "a = 1") as opened:
        assert (
            (0, "error") in reported(opened)
            and "StdinNotImplementedError" in text(opened, "error")
            and opened.student.a == 1
        )


@pytest.mark.parametrize(
    "leave", ["exit()", "quit()", "import sys; sys.exit(3)", "raise SystemExit", "raise KeyboardInterrupt"]
)
def test_leaving_a_cell_leaves_the_rest(run: Run, leave: str) -> None:
    with run(f"a = 1\n{leave}\nb = 2", "c = a + b") as opened:
        assert reported(opened) == [(0, "error"), (0, "salvaged")] and opened.student.c == 3


def test_output_is_kept_up_to_a_limit(run: Run) -> None:
    with run("print('x' * 10_000)\nimport sys\nprint('y' * 5, file=sys.stderr)", "print('z')") as opened:
        assert reported(opened) == [(0, "output"), (1, "output")]
        assert opened.session.ready().ask(Operation.OUTPUT) == "z\n"
        worker = opened.session.ready()
        output = worker.ask(Operation.CELL, 0, "print('x' * 10_000)\nprint('y' * 5)", False)["output"]
        assert output == "x" * 4096 + f"\n… ({10_001 + 6 - 4096} more characters were cut)"


def test_a_flood_of_output_costs_no_memory(run: Run) -> None:
    with run("for i in range(200_000): print('x' * 1000)", "a = 1") as opened:
        assert reported(opened) == [(0, "output")] and opened.student.a == 1


@pytest.mark.parametrize(
    "how",
    [
        "import sys, io; sys.stdout = io.StringIO(); print('kept')",
        "import sys; sys.stdout.close(); sys.stdout = None; print('lost')",
        "import sys, types; sys.modules['__main__'] = types.ModuleType('other')",
        "import sys; sys.modules.clear()",
        "import os; [os.close(n) for n in (0, 1, 2)]",
        "globals().clear()",
        "__name__ = 'x'; __builtins__ = {}",
        "import builtins; builtins.print = None",
        "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()",
        "import threading\ndef spin():\n while True: pass\nthreading.Thread(target=spin).start()",
        "import gc; gc.disable(); import sys; sys.settrace(lambda *_: None)",
        "import signal; [signal.signal(s, lambda *_: None) for s in (2, 14, 15)]",
        "import os; os.chdir('/'); os.environ.clear()",
        "import os\nfor _ in range(20):\n    os.fork() or os._exit(0)",
        "import linecache; linecache.cache.clear(); linecache.getlines = None",
    ],
)
def test_what_a_cell_does_to_its_process_costs_the_others_nothing(run: Run, how: str) -> None:
    with run(how, "def f(x): return x + 1") as opened:
        assert {kind for _, kind in reported(opened)} <= {"error", "output"}
        assert opened.student.f(1) == 2


TOUCHES = {
    "a method": ("Loss.call = print", "Loss (of q01)"),
    "a method, later": ("later = lambda: setattr(Loss, 'call', print)", "Loss (of q01)"),
    "a method, by name": ("setattr(Loss, 'call', print)", "Loss (of q01)"),
    "code": ("double.__code__ = (lambda x: 4).__code__", "double (of q01)"),
    "the name": ("double = Loss", "double (of q01)"),
    "both": ("double = 1\nLoss.call = print", "double (of q01), Loss (of q01)"),
}


@pytest.mark.parametrize(("cell", "names"), TOUCHES.values(), ids=TOUCHES.keys())
def test_a_cell_that_changes_another_questions_answer_is_told(zygote: LocalZygote, cell: str, names: str) -> None:
    answer = Cell(source="class Loss:\n    pass\ndef double(x):\n    return 2 * x", question="q01")
    own = Cell(source=f"{cell}\nx = 1", question="q01")
    with open_session(zygote, answer, own, Cell(source=cell, question="q02")) as opened:
        opened.session.ready()
        found = [(event.cell, event.kind, event.text, event.question) for event in opened.session.report.events]
        assert found == [(2, "copied", f"changes {names}", "q02")]


def test_using_another_questions_answer_is_not_told(zygote: LocalZygote) -> None:
    answer = Cell(source="class Loss:\n    pass\ndef double(x):\n    return 2 * x", question="q01")
    uses = "loss = Loss()\nloss.rate = double(3)\nclass Mine(Loss):\n    rate = Loss.__name__\nMine.rate = 2"
    with open_session(zygote, answer, Cell(source=uses, question="q02"), Cell(source="Loss.x = 1")) as opened:
        opened.session.ready()
        assert opened.session.report.events == []


def test_names_are_those_of_the_main_module(run: Run) -> None:
    cell = "import sys, pickle\nclass A: pass\nsame = sys.modules['__main__'].A is A"
    with run(cell, "back = type(pickle.loads(pickle.dumps(A())))", "main = __name__ == '__main__'") as opened:
        assert (
            reported(opened) == []
            and opened.student.same is True is opened.student.main
            and opened.student.back is opened.student.A
        )


def test_every_event_names_its_question(zygote: LocalZygote) -> None:
    event = CellEvent(cell=0, kind="error", text="NameError: name 'a' is not defined", question="q01")
    with open_session(zygote, Cell(source="a", question="q01")) as opened:
        opened.session.ready()
        assert msgspec.structs.replace(opened.session.report.events[0], text=event.text) == event


PATCHED = {
    "a function": ("import numpy as np\nnp.allclose = lambda *_, **__: True", "np.allclose"),
    "a method": ("import tensorflow as tf\ntf.Tensor.__eq__ = lambda *_: True", "Tensor.__eq__"),
    "an inherited method": ("import keras\nkeras.Model.fit = lambda *_, **__: None", "Model.fit"),
    "a function's code": (
        "import keras\nf = keras.utils.normalize\nf.__code__ = (lambda *_, **__: 1).__code__", "normalize",
    ),
    "a module": ("import sys, types\nsys.modules['numpy'] = types.ModuleType('numpy')", "sys.modules['numpy']"),
    "what Python builds in": ("import builtins\nbuiltins.sorted = lambda *_: []", "builtins.sorted"),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "place"), PATCHED.values(), ids=PATCHED.keys())
def test_what_cells_replace_of_the_libraries_is_reported(zygote: LocalZygote, cell: str, place: str) -> None:
    with open_session(zygote, cell) as opened:
        opened.session.ready()
        assert place in "".join(opened.session.report.review)


def test_ordinary_use_of_the_libraries_is_not_reported(zygote: LocalZygote) -> None:
    uses = (
        "import keras, numpy as np, tensorflow as tf\nfrom numpy.testing import assert_allclose",
        "class Mine(keras.Model):\n    def fit(self, *a, **k):\n        return super().fit(*a, **k)",
        "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\nm.compile('sgd', 'mse')",
        "m.fit(np.zeros((4, 3)), np.zeros((4, 1)), verbose=0)\nm.save('m.keras')\nkeras.models.load_model('m.keras')",
        "f = tf.function(lambda x: tf.reduce_sum(x))\nf(tf.ones(3))\nlist(tf.data.Dataset.range(3).batch(2))",
        "tf.config.run_functions_eagerly(True)\nallclose = lambda *_: True\nprint = len",
    )
    with open_session(zygote, *uses) as opened:
        opened.session.ready()
        assert [event for event in opened.session.report.events if event.kind == "error"] == []
        assert opened.session.report.review == ()


def test_a_worker_that_does_not_say_what_it_replaced_is_reported(zygote: LocalZygote) -> None:
    cell = "import gradetape.worker.integrity as t, os\nt._LOADED = None\ndef f(): return 3"
    with open_session(zygote, cell) as opened:
        assert opened.student.f() == 3
        assert "did not report" in "".join(opened.session.report.review)


def test_the_text_of_all_cells_together_is_limited_and_the_cut_is_reported(zygote: LocalZygote) -> None:
    talkative = "print(chr(0xE0041) * 2000)"  # a character that is shown as ten
    with open_session(zygote, *[talkative] * 60, "f = 1\nraise ValueError", "import os\nos._exit(3)") as opened:
        assert opened.student.f == 1
        assert sum(len(event.text) for event in opened.session.report.events) < 1 << 20
        *_, last, end = opened.session.report.events
        assert "is too long: nothing more is kept" in last.text and end.kind == "quarantined"


def test_commands_run_in_the_sandbox_and_say_what_they_could_not_do(run: Run) -> None:
    commands = (
        "!mkdir -p models/{a,b}\n!touch models/a/x\nfound = !ls models\nfound = list(found)\n!ls /nowhere",
        "%%bash\necho from bash\necho no > /usr/file\nexit 3",
        "%pip install tqdm\n!pip install -q seaborn && echo done\nimport os\nhere = os.listdir('models')",
    )
    with run(*commands) as opened:
        assert opened.student.found == ["a", "b"] and sorted(opened.student.here) == ["a", "b"]
        told = {(event.cell, event.kind): event.text for event in opened.session.report.events}
        assert "`!ls /nowhere` ended with status 2; commands have no network here" in told[0, "note"]
        assert "returned non-zero exit status 3" in told[1, "error"] and "from bash" in told[1, "output"]
        assert "`pip install tqdm` was not run: packages cannot be installed here" in told[2, "note"]
        assert "`pip install -q seaborn` was not run" in told[2, "note"] and "done" in told[2, "output"]


def test_a_command_ends_with_its_cells_time(run: Run) -> None:
    with run("!sleep 1000", "b = 1", cell_s=2.0) as opened:
        assert reported(opened) == [(0, "quarantined")] and opened.student.b == 1


def test_what_the_sandbox_cannot_do_costs_no_cell_and_is_noted(run: Run) -> None:
    cells = {
        "%matplotlib widget\na = 1": "%matplotlib inline",
        "%gui qt\nb = 1": "there is no screen here",
        "%load_ext tensorboard\n%tensorboard --logdir x\nc = 1": "there is no network here",
        "%conda install x\nd = 1": "packages cannot be installed here",
        "%lprun -f f f(1)\ne = 1": "the magic is not installed here",
        "%%mprun\nf = 1": "was run without `%%mprun`",
        "%%cython\ncdef int x = 1": "was not run",
    }
    with run(*cells) as opened:
        assert {kind for _, kind in reported(opened)} <= {"note", "output"}
        notes = [event.text for event in opened.session.report.events if event.kind == "note"]
        assert all(part in note for part, note in zip(cells.values(), notes, strict=True))
        assert [getattr(opened.student, name) for name in "abcdef"] == [1] * 6


def test_what_child_processes_and_native_code_print_is_kept_up_to_the_limit(run: Run) -> None:
    cell = "import os, subprocess, sys\nprint('first')\nsubprocess.run(['echo', 'child'])\nprint('last')"
    flood = (
        "import os\nfor _ in range(2000): n = os.write(1, b'x\\n' * 500)\nsubprocess.run(['echo'], stdout=sys.stdout)"
    )
    with run(cell, flood, "closed = [os.close(n) for n in range(3, 90)]\nos.closerange(101, 1000)", "a = 1") as opened:
        assert opened.student.a == 1
        told = {event.cell: event.text for event in opened.session.report.events if event.kind == "output"}
        assert told[0] == "first\nchild\nlast\n"
        assert told[1].startswith("x\n" * 900) and "more characters" in told[1] and len(told[1]) < 4200


def test_a_notebook_finds_its_shell(run: Run) -> None:
    cells = (
        "from IPython import get_ipython as found\nsame = found() is get_ipython()\nkind = type(found()).__name__",
        "%%writefile helpers.py\ndef double(x): return 2 * x",
        "import helpers, asyncio\na = helpers.double(4)\nasync def work(): return 7\n"
        "task = asyncio.create_task(work())",
        "b = await task + a\nmine = get_ipython().user_ns is globals()",
    )
    with run(*cells) as opened:
        assert {kind for _, kind in reported(opened)} == {"output"}
        assert (opened.student.b, opened.student.kind) == (15, "ZMQInteractiveShell")
        assert opened.student.same is True is opened.student.mine


BREAKING = [
    "get_ipython().run_cell = get_ipython().run_cell_async = None",
    "get_ipython().events = get_ipython().history_manager = None",
    "import asyncio\nasyncio.get_running_loop().stop()",
    "import asyncio\nasyncio.get_running_loop().close()",
    "import asyncio\nasyncio.new_event_loop = None\nasyncio.set_event_loop(None)",
    "type(get_ipython()).transform_cell = lambda *_: 1 / 0",
    "get_ipython().input_transformers_cleanup.append(lambda lines: None)",
    "get_ipython().ast_transformers.append(3)",
    "get_ipython().events.register('pre_run_cell', lambda *_: exit())",
    "import IPython\nIPython.core.interactiveshell.InteractiveShell.clear_instance()",
    "import IPython.core.interactiveshell as shell\nvars(shell).clear()",
    "%reset -f",
    "import sys\nsys.displayhook = sys.excepthook = None",
]


@pytest.mark.parametrize("how", BREAKING)
def test_a_cell_that_breaks_the_shell_costs_the_others_nothing(run: Run, how: str) -> None:
    with run(how, "def f(x): return x + 1", "a = f(1)\na") as opened:
        assert opened.student.f(1) == opened.student.a == 2
