"""Small notebooks that run in a real kernel and in a worker, and what may differ between the two.

Every name, every value of plain data, the error of each cell and the printed text are compared. `differs` says for
each of these what is not, and why.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A notebook: its cells, and the reasons why `names`, `values`, `errors` or `text` are not compared."""

    cells: tuple[str, ...]
    differs: dict[str, str]


def case(*cells: str, **differs: str) -> Case:
    """A notebook of these cells."""
    return Case(cells, differs)


SALVAGED = "what a cell defines below the line that failed is run too, so that it costs only the line"
TERMINAL = "a kernel runs commands on a terminal, which lists files in columns; here they write to a pipe"
NO_NETWORK = "packages cannot be installed here: the command is left out and noted"
NOT_INSTALLED = "a magic that is not installed costs its line, not its cell, and is noted"

NOTEBOOKS = {
    # Names and values
    "plain values": case("a = 1\nb = 'text'\nc = [1, 2.5, None, True]\nd = {'k': (1, 2)}", "e = a + 1"),
    "functions and classes": case(
        "def f(x=2): return x * 3\nclass C:\n    y = 4", "a = f()\nb = C().y\nc = C.__module__"
    ),
    "the main module": case("import sys\nsame = sys.modules['__main__'].__dict__ is globals()\nname = __name__"),
    "pickles of own classes": case("import pickle\nclass A: pass", "b = type(pickle.loads(pickle.dumps(A()))) is A"),
    "numpy": case("import numpy as np\na = np.arange(6).reshape(2, 3)\nb = a.sum(axis=0)", "c = float(a.mean())"),
    "the value of the last line": case("1 + 1", "a = _ + 1", "b = Out[1]\nc = _1", "a + 5;", "d = sorted(Out)"),
    "three underscores": case("1", "2", "3", "a = (_, __, ___)"),
    "a hidden underscore": case("for _ in range(3): pass", "7", "a = _"),
    "inputs": case("x = 1", "y = In[1]\nz = _i\nw = _ih[1]", "n = len(In)"),
    "an own name for a built-in one": case("def display(x): return x + 1\nlist = 3", "a = display(1)\nb = list"),
    "deleted names": case("a = b = 1", "del a", "c = 'a' in globals()"),
    "star imports": case("from math import *", "a = floor(pi)"),
    "dataclasses and enums": case(
        "from dataclasses import dataclass\nfrom enum import Enum\n@dataclass\nclass P:\n    x: int = 1\n"
        "class E(Enum):\n    A = 1",
        "a = P().x\nb = E.A.value\nc = str(P())",
    ),
    "annotations that do not exist": case(
        "from __future__ import annotations\na: Undefined = 1",
        "def f(x: Nowhere) -> Never: return x\nb = f(2)",
        "c = f.__annotations__",
    ),
    "annotations without the flag": case("def f(x: int): return x\na = f.__annotations__['x'] is int"),
    "a docstring": case("'''A text.'''\na = 1", "b = _"),
    "unicode": case("größe = 'ä' * 3\nprint('→', größe)", "π = 3\nμ = π"),
    "tabs and line ends": case("if True:\n\ta = 1\r\nb = 2"),
    "an empty cell": case("", "   \n", "# nothing\n", "a = 1"),
    "leading blank lines": case("\n\n  \na = 1"),
    "an indented cell": case("    a = 1\n    b = 2"),
    "prompts": case(">>> a = 1\n>>> b = a + 1", "In [3]: c = 3"),
    "a line joined by a backslash": case("a = 1 + \\\n    2"),
    "nested functions and closures": case(
        "def make(n):\n    def add(x): return x + n\n    return add", "a = make(2)(3)"
    ),
    # Printed text
    "printing": case(
        "print('a', end='')\nprint('b')",
        "import sys\nsys.stdout.write('d')",
        "print('c', file=sys.stderr)",
    ),
    "printing in a loop": case("for i in range(5):\n    print(i)"),
    "the streams": case(
        "import sys\na = sys.stdout.encoding\nb = sys.stdout.isatty()\nc = type(sys.stdout.fileno()).__name__\n"
        "d = hasattr(sys.stdout, 'buffer')\ne = sys.stdout is sys.stderr\n"
        "f = sys.stdout.writable()\ng = sys.stderr.name",
    ),
    "a stream takes text alone": case("import sys\nsys.stdout.write(b'x')"),
    "a redirected stream": case(
        "import contextlib, io\nbuffer = io.StringIO()\nwith contextlib.redirect_stdout(buffer):\n    print('kept')",
        "a = buffer.getvalue()",
    ),
    "a stream of one's own": case(
        "import io, sys\nsys.stdout = io.StringIO()\nprint('kept')", "a = sys.stdout.getvalue()"
    ),
    "output of a child": case(
        "import subprocess\ns = subprocess.run(['echo', 'child']).returncode\nimport time; time.sleep(0.3)"
    ),
    "output of a descriptor": case("import os\nn = os.write(1, b'low\\n')\nimport time; time.sleep(0.3)"),
    "output of a fork": case(
        "import os\npid = os.fork()\nif not pid:\n    os.write(1, b'child\\n')\n    os._exit(0)\n"
        "status = os.waitpid(pid, 0)[1]\ndel pid\nimport time; time.sleep(0.3)",
    ),
    "logging": case("import logging\nlogging.warning('careful')", "logging.getLogger('a').error('no')"),
    "warnings": case("import warnings\nwarnings.warn('first')", "warnings.warn('second')\nwarnings.warn('second')"),
    "clearing the output": case(
        "from IPython.display import clear_output\nprint('a')\nclear_output()\nprint('b')",
        "print('c')\nclear_output(wait=True)\nprint('d')",
    ),
    # Displays
    "display": case("display(1)\nfrom IPython.display import display as show\nshow({'a': 1}, [2])"),
    "a display that is updated": case(
        "h = display(1, display_id=True)\nh.update(2)\nkind = type(h).__name__\ndel h",
        "from IPython.display import update_display\n"
        "x = display('p', display_id='p')\nupdate_display('q', display_id='p')",
    ),
    "rich displays": case(
        "from IPython.display import HTML, Markdown, Image, Latex, JSON\nHTML('<b>x</b>')",
        "display(Markdown('*a*'), Latex('$x$'), JSON({'a': 1}))",
        "class R:\n    shown = 0\n    def _repr_html_(self):\n        R.shown += 1\n        return '<i></i>'\nR()",
        "a = R.shown",
    ),
    "a text of one's own": case("class R:\n    def __repr__(self): return 'R!'\nR()", "a = repr(_)"),
    "a value without a text": case(
        "class R:\n    def __repr__(self): raise ValueError('no')\nr = R()\nr", "a = 1", errors="named here"
    ),
    "a hook for displays": case(
        "import sys\nseen = []\nip = get_ipython()\nip.display_formatter.formatters['text/plain']"
        ".for_type(complex, lambda x, p, c: seen.append(1) or p.text('c'))\ndel ip",
        "1j",
        "a = seen",
    ),
    # Errors
    "an error": case("a = 1\n1 / 0", "b = a + 1"),
    "an undefined name": case("nowhere + 1"),
    "a syntax error": case("def f(:\n    pass", "a = 1"),
    "an error while a cell is compiled": case("a = 1\nreturn 3"),
    "an indentation error": case("if True:\na = 1"),
    "a module that is missing": case("import nothing_of_that_name", "a = 1"),
    "a chain of errors": case("try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e"),
    "an error group": case(
        "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])", text="it is not printed here, but on the page"
    ),
    "an assertion": case("assert 1 == 2, 'not equal'"),
    "leaving with sys.exit": case(
        "import sys\nsys.exit(3)", "a = 1", text="IPython adds advice with a path of its own"
    ),
    "an interrupt": case("raise KeyboardInterrupt", "a = 1"),
    "recursion": case("def f(): return f()\nf()", "a = 1"),
    "definitions below an error": case("1 / 0\ndef f(): return 1\nX = 2", "a = 1", names=SALVAGED, values=SALVAGED),
    "asking somebody": case("input('Your name? ')", "a = 1", "import getpass\ngetpass.getpass()"),
    # Magics
    "writing a module": case(
        "%%writefile helpers.py\ndef double(x):\n    return 2 * x", "import helpers\na = helpers.double(4)"
    ),
    "appending to a file": case(
        "%%writefile t.txt\none",
        "%%writefile -a t.txt\ntwo",
        "a = open('t.txt').read()",
        "%cat t.txt",
    ),
    "running a script": case("%%writefile s.py\nprint('runs')\nvalue = 5\n__name__", "%run s.py", "a = value + 1"),
    "running a script with arguments": case(
        "%%writefile s.py\nimport sys\ngot = sys.argv[1:]", "%run s.py a 1", "b = got"
    ),
    "capturing": case(
        "%%capture cap\nprint('hidden')\nimport sys\nprint('too', file=sys.stderr)\nx = 1",
        "cap.show()\na = cap.stdout\nb = cap.stderr\ndel cap",
    ),
    "capturing nothing": case("%%capture\nprint('hidden')\nx = 1", "y = x"),
    "timing a cell": case("%%time\na = 1\nprint('in')\na + 1", "b = _"),
    "timing a line": case("%time a = 1 + 1", "s = %time a + 1", "x = %time sum(range(3))"),
    "timing with an error": case("%%time\na = 1\n1 / 0", "b = a"),
    "timing a function": case("%%time\ndef f(x):\n    return x + 1\nclass C: pass", "a = f(1)\nb = C.__name__"),
    "timeit": case("x = 2", "%timeit -n 3 -r 2 x + 1", "t = %timeit -n 5 -r 1 -o -q x\na = (t.loops, t.repeat)\ndel t"),
    "timeit keeps names": case("x = 2", "%timeit -n 1 -r 1 x = 5", "a = x"),
    "timeit without a number": case(
        "from collections import deque\nn = deque(maxlen=1)", "%timeit n.append(1)", "a = len(n)"
    ),
    "definitions below timeit": case(
        "%%timeit -n 1 -r 1\ndef f(): return 3",
        "a = 1",
        names="what only a %%timeit cell defines stays, since its author meant to define it",
        values="the same",
    ),
    "prun": case("%prun -q a = 1 + 1", "b = a"),
    "the working folder": case(
        "import os\nfolder = %pwd\na = folder == os.getcwd()\ndel folder",
        "%mkdir new",
        "%cd -q new",
        "b = os.path.basename(os.getcwd())",
    ),
    "environment": case(
        "%env GT_X=5", "import os\na = os.environ['GT_X']\nb = %env GT_X", "%set_env GT_Y=6", "c = os.environ['GT_Y']"
    ),
    "who is there": case("a = 1\ndef f(): pass", "x = %who_ls", "y = %who_ls function"),
    "resetting": case("a = 1", "%reset -f", "b = 'a' in globals()", "%reset_selective -f b", "c = 1"),
    "magics by a function": case(
        "get_ipython().run_line_magic('pwd', '')\na = 1",
        "get_ipython().run_cell_magic('time', '', 'b = 2')",
    ),
    "get_ipython": case(
        "from IPython import get_ipython as gi\nsame = gi() is get_ipython()\nkind = type(gi()).__name__\ndel gi",
        "ip = get_ipython()\nn = ip.user_ns is globals()\n"
        "ip.user_ns['z'] = 4\nip.push({'y': 5})\nm = ip.execution_count\n"
        "k = 'IPKernelApp' in ip.config\ndel ip",
        "a = z + y",
    ),
    "an inner cell": case("r = get_ipython().run_cell('q = 3')\nok = r.success\ndel r", "a = q"),
    "own magics": case(
        "from IPython.core.magic import register_line_magic, register_cell_magic\n@register_line_magic\n"
        "def twice(line): return line * 2\n@register_cell_magic\ndef count(line, cell): return len(cell.split())\n"
        "del twice, count",
        "a = %twice xy",
        "%%count\none two three",
        "b = _",
    ),
    "automagic": case("pwd", "a = type(_).__name__"),
    "macros": case("x = 1\nx += 1", "%macro -q m 1", "m", "a = x\ndel m"),
    "variables in a magic": case(
        "name = 'out.txt'", "%%writefile {name}\nhello", "import os\na = os.path.exists('out.txt')"
    ),
    "help": case("len?\na = 1", "?print", "b = a"),
    "matplotlib": case(
        "%matplotlib inline\nimport matplotlib\nimport matplotlib.pyplot as plt\n"
        "line = plt.plot([1, 2])\nn = len(plt.get_fignums())\ndel line",
        "m = len(plt.get_fignums())\nbackend = matplotlib.get_backend().lower()",
    ),
    "matplotlib without a magic": case(
        "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.plot([1])\nplt.show()\ndel figure, axes",
        "m = plt.get_fignums()",
    ),
    # TensorFlow, which a worker has imported, adds its own types to NumPy's.
    "pylab": case("%pylab inline", "a = array([1, 2]).sum()\nb = pi > 3\ndel sctypeDict"),
    "autoreload": case("%load_ext autoreload\n%autoreload 2", "a = 1"),
    "html and other cells": case(
        "%%html\n<b>x</b>", "%%javascript\nalert(1)", "%%markdown\n# x", "%%latex\n$x$", "a = 1"
    ),
    "a magic that does not exist": case("%nothing_of_that_name x", "a = 1", errors=NOT_INSTALLED, text=NOT_INSTALLED),
    "a cell magic that does not exist": case(
        "%%memit\na = 1",
        "b = 1",
        errors=NOT_INSTALLED,
        text=NOT_INSTALLED,
        names=NOT_INSTALLED,
        values=NOT_INSTALLED,
    ),
    "an extension that does not exist": case("%load_ext memory_profiler", "a = 1", errors=NOT_INSTALLED),
    # Commands
    "a command": case("!echo hello", "!mkdir -p models/a", "import os\na = os.listdir('models')"),
    "the output of a command": case(
        "open('b.txt', 'w').close(); open('a.txt', 'w').close()\nx = !ls", "a = list(x)\nb = x.s\ndel x"
    ),
    "the status of a command": case("!exit 3", "a = _exit_code", "!true", "b = _exit_code"),
    "variables in a command": case("n = 'x y'\nx = !echo {n} $n $$HOME_\na = list(x)\ndel x"),
    "files in columns": case("open('b.txt', 'w').close(); open('a.txt', 'w').close()\n!ls", text=TERMINAL),
    "a command in the background": case("!sleep 1 &", "a = 1"),
    "two shell cells": case("%%bash\nexport A=1\necho $A", "%%sh\necho sh\necho no >&2"),
    "the output of a shell cell": case("%%bash --out got\necho hi", "a = got"),
    "a shell cell that fails": case("%%bash\necho one\nexit 3", "a = 1"),
    "a script of another language": case("%%script cat\nwhat is fed", "%%python3\nprint(1 + 1)"),
    "installing packages": case(
        "!pip install -q nothing-of-that-name\na = 1", "%pip list --help > /dev/null\nb = 1", text=NO_NETWORK
    ),
    # Event loops
    "await": case("import asyncio\nasync def f(): return 3\na = await f()", "await asyncio.sleep(0)\nb = 1"),
    "a task for the next cell": case(
        "import asyncio\nasync def work():\n    await asyncio.sleep(0.01)\n"
        "    return 7\ntask = asyncio.create_task(work())",
        "a = await task\ndel task",
    ),
    "a task that nobody awaits": case(
        "import asyncio\ndone = []\nasync def f(): done.append(1)\nt = asyncio.create_task(f())\ndel t", "a = len(done)"
    ),
    "one loop": case(
        "import asyncio\nl = asyncio.get_running_loop()",
        "a = asyncio.get_running_loop() is l\nb = l.is_running()\ndel l",
    ),
    "a queue between cells": case("import asyncio\nq = asyncio.Queue()\nawait q.put(5)", "a = await q.get()\ndel q"),
    "asyncio.run": case(
        "import asyncio\nasync def f(): return 1\nc = f()\ntry:\n    asyncio.run(c)\n"
        "except RuntimeError as e:\n    a = str(e)\nc.close()\ndel c"
    ),
    "async for and with": case(
        "async def gen():\n    yield 1\n    yield 2",
        "a = [i async for i in gen()]",
        "async for i in gen():\n    b = i",
    ),
    "an error in a coroutine": case("async def f(): raise ValueError('x')\nawait f()", "a = 1"),
    "variables of a context": case(
        "import contextvars, numpy as np\nv = contextvars.ContextVar('v', default=1)\nv.set(2)\n"
        "old = np.seterr(all='raise')\ndel old",
        "a = v.get()\nb = np.geterr()['divide']\ndel v",
    ),
    "threads": case(
        "import threading\nout = []\nt = threading.Thread(target=lambda: out.append(1))\n"
        "t.start(); t.join()\ndel t\na = out",
    ),
    # Scripts
    "a script of VS Code": case(
        "# To add a new cell, type '# %%'\n# %%\nfrom IPython import get_ipython\n\n# %%\n"
        "get_ipython().run_line_magic('matplotlib', 'inline')\nimport numpy as np\na = int(np.ones(3).sum())",
    ),
    "hooks": case(
        "n = []\ndef before(*_): n.append(1)\nget_ipython().events.register('pre_run_cell', before)",
        "a = len(n)",
        "get_ipython().events.unregister('pre_run_cell', before)",
        "b = len(n)",
    ),
    "transformers": case(
        "ip = get_ipython()\n"
        "ip.input_transformers_cleanup.append(lambda lines: [each.replace('ONE', '1') for each in lines])\ndel ip",
        "a = ONE",
    ),
    "every expression": case("get_ipython().ast_node_interactivity = 'all'", "1\n2\n3", "a = Out[2]"),
    "history": case("a = 1", "%history", "x = get_ipython().history_manager.input_hist_raw[1]"),
    "storing": case("a = 1", "%store a", "del a", "%store -r a", "b = a"),
    "a future flag for one cell": case(
        "from __future__ import annotations", "f = compile('x: y = 1', 'f', 'exec').co_flags\na = 1\ndel f"
    ),
}
