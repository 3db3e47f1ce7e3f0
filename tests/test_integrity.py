"""What a submission replaces is found from outside, whatever its own process says; honest work is never reported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.hostile.delegation import on_a_lesser_machine
from gradetape.remote import looks
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote
from gradetape.wire.messages import BY_ITSELF, FROM_OUTSIDE
from gradetape.wire.operations import Operation
from tests.remote_sessions import open_session, started

CLIMB = (Path(__file__).parents[1] / "examples/hostile/parts/climb.py").read_text(encoding="utf-8")
# The worker says that nothing was replaced.
LIES = f'{CLIMB}worker._operations["changed"] = lambda: []\n'
REPLACED = {
    "what runs operations": ("from tensorflow.python.framework import op_callbacks\n"
                             "op_callbacks.add_op_callback(lambda *_, **__: None)",
                             "tf.python.eager.execute.execute"),
    "code": ("import keras\nkeras.losses.mean_squared_error.__code__ = (lambda a, b: 0).__code__",
             "keras.src.losses.losses.mean_squared_error"),
    "defaults": ("import keras\nkeras.utils.normalize.__defaults__ = (0, 1)",
                 "keras.src.utils.numerical_utils.normalize"),
    "a method": ("import keras\nkeras.layers.Layer.__call__ = lambda *_, **__: 0",
                 "keras.src.layers.layer.Layer.__call__"),
    "an inherited method": ("import keras\nkeras.Model.fit = lambda *_, **__: None",
                            "keras.src.models.model.Model.fit"),
    "a base": ("import keras\nclass Base(keras.layers.Layer): pass\nkeras.layers.Dense.__bases__ = (Base,)",
               "keras.src.layers.core.dense.Dense (its bases)"),
    "a private function": ("import keras\nkeras.src.saving.saving_lib.load_model = print",
                           "keras.src.saving.saving_lib.load_model"),
    "a private function of TensorFlow": (
        "from tensorflow.python.ops import math_ops\nmath_ops.cast = print", "tf.python.ops.math_ops.cast",
    ),
    "a library's own import": ("import keras.src.saving.saving_api as api\napi.zipfile = type(api)('z')",
                               "keras.src.saving.saving_api.zipfile"),
    "a name that hides a builtin": ("import gradetape.wire.codec as codec\ncodec.len = lambda _: 1",
                                    "gradetape.wire.codec"),
    "what a closure holds": (
        "import tensorflow as tf\n"
        "for cell in tf.reduce_mean.__closure__:\n"
        "    if callable(cell.cell_contents):\n"
        "        cell.cell_contents = print",
        "tf.python.ops.math_ops.reduce_mean",
    ),
    "a property": ("import keras\nkeras.layers.Layer.trainable_weights.__init__(lambda self: [])",
                   "keras.src.layers.layer.Layer.trainable_weights"),
    "an operation": ("worker._operations['call'] = lambda *_: True",
                     "gradetape.worker.worker.Worker._operations.call"),
    "the table of operations": ("worker._operations = dict(worker._operations)",
                                "gradetape.worker.worker.Worker._operations"),
    "the worker's class": ("worker.__class__ = type('Other', (type(worker),), {'__slots__': ()})",
                           "gradetape.worker.worker.Worker"),
    "the encoder": ("import gradetape.wire.codec as codec\ncodec.Encoder._str = lambda self, value: 'x'",
                    "gradetape.wire.codec.Encoder._str"),
    "the encoder's forms": ("worker._channel._encoder._forms[bytes] = lambda _: b''",
                            "gradetape.wire.codec.Encoder._forms[<class 'bytes'>]"),
    "the tracing of calls": ("sys.setprofile(lambda *_: None)", "sys.settrace or sys.setprofile"),
    "a module": ("import types\nsys.modules['numpy'] = types.ModuleType('numpy')", "sys.modules.numpy"),
    "a class written in C": (
        "import ctypes, numpy as np\nat = ctypes.c_uint64.from_address\n"
        "at(id(np.ufunc) + 88).value = at(id(object) + 88).value",
        "np.ufunc (its slots)",
    ),
    "what calls a function": (
        "import ctypes, keras\nhere = keras.losses.mean_squared_error\nat = ctypes.c_uint64.from_address\n"
        "at(id(here) + at(id(type(here)) + 56).value).value = at(id(print) + at(id(type(print)) + 56).value).value",
        "keras.src.losses.losses.mean_squared_error",
    ),
    "what runs when garbage is collected": ("import gc\ngc.callbacks.append(lambda *_: None)", "gc.callbacks"),
    "what Python brings along": ("import zipfile\nzipfile.is_zipfile = lambda _: True", "zipfile.is_zipfile"),
}  # fmt: skip

THREAD = """
import os, socket, threading, time
from gradetape.wire.channel import Channel
own = socket.socket(fileno=os.dup(100))
idle, other = socket.socketpair()
number = frame.f_locals["sequence"]
answering = Channel(own, worker._channel._encoder, worker._channel._decoder)
def answer():
    answering.send([number, "ok", {}])
    while True:
        number_, operation, arguments, _ = answering.receive()
        answering.send([number_, "ok", [] if operation == "changed" else 7])
os.dup2(idle.fileno(), 100)
threading.Thread(target=answer, daemon=True).start()
"""
HIDDEN = {
    "a cell that never ends": """
channel, cell = worker._channel, {"error": "", "copied": "", "output": ""}
channel.send([frame.f_locals["sequence"], "ok", cell])
while True:
    number, operation, arguments, _ = channel.receive()
    channel.send([number, "ok", [] if operation == "changed" else 7])
""",
    "a fork that answers": """
import os, time
while os.fork():
    time.sleep(60)
worker._operations["name"] = lambda name: 7
""",
    "a thread with the socket": THREAD,
    "another worker": """
class Other(type(worker)):
    __slots__ = ()
    def _answer(self, operation, args):
        return ["ok", [] if operation == "changed" else 7]
frame.f_locals["self"]._channel.send([frame.f_locals["sequence"], "ok", {}])
Other(worker._channel._sock, 1000).serve()
""",
}
# While anybody looks, all is as it should be, but for a thread.
THREADS = {
    "a thread that gives the socket back": THREAD.replace(
        "def answer():", "def answer():\n    time.sleep(0.5)\n    os.dup2(own.fileno(), 100)"
    ),
    "a thread that only waits": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
}
NO_THREADS = """
import threading
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    list(pool.map(abs, range(100)))
thread = threading.Thread(target=print)
thread.start()
thread.join()
import tensorflow as tf
for each in tf.data.Dataset.from_generator(lambda: range(9), output_signature=tf.TensorSpec([])).prefetch(2):
    pass
"""
HONEST = (
    "import keras, numpy as np, tensorflow as tf, os, tempfile\nfrom tensorflow.math import reduce_sum\n"
    "from tensorflow.keras import layers\nimport tensorflow.keras.backend as K",
    "class Mine(keras.Model):\n    def fit(self, *a, **k):\n        return super().fit(*a, **k)\n"
    "@keras.saving.register_keras_serializable()\nclass Twice(keras.layers.Layer):\n    def call(self, x):\n"
    "        return 2 * x\n",
    "m = keras.Sequential([keras.Input((3,)), Twice(), keras.layers.BatchNormalization(), keras.layers.Dense(1)])\n"
    "m.compile('adam', 'mse', metrics=['mae', keras.metrics.AUC()])",
    "m.fit(np.zeros((4, 3)), np.zeros((4, 1)), verbose=0, callbacks=[keras.callbacks.EarlyStopping('loss')])\n"
    "m.evaluate(np.zeros((4, 3)), np.zeros((4, 1)), verbose=0)\nm.save('m.keras')\n"
    "keras.models.load_model('m.keras')\nm.export('exported', verbose=False)\ntf.saved_model.load('exported')",
    "f = tf.function(lambda x: tf.reduce_sum(x))\nf(tf.ones(3))\nlist(tf.data.Dataset.range(3).batch(2))",
    "@tf.function\ndef g(n):\n    total = 0\n    for i in tf.range(n):\n        if i > 1:\n            total += i\n"
    "    return total\ng(tf.constant(5))",
    "tf.config.run_functions_eagerly(True)\nallclose = lambda *_: True\nprint = len\nnp.float = float\nnp.int = int",
    "import warnings, logging, ssl\nwarnings.filterwarnings('ignore')\n"
    "ssl._create_default_https_context = ssl._create_unverified_context\ntf.get_logger().setLevel(logging.ERROR)",
    "tf.debugging.enable_check_numerics()\ntf.constant(1.0) / 2",
    "class State(tf.Module):\n    @tf.function(input_signature=[tf.TensorSpec([None])])\n    def __call__(self, x):\n"
    "        return x * 2\ntf.saved_model.save(State(), 'state')\nkeras.layers.LSTM(2)(np.zeros((1, 2, 3), 'float32'))",
)


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started() as zygote:
        yield zygote


def reviewed(zygote: LocalZygote, *cells: str) -> str:
    with open_session(zygote, *cells) as opened:
        opened.session.ready()
        assert FROM_OUTSIDE in opened.session.report.layers
        return "\n".join(opened.session.report.review)


@pytest.mark.parametrize(("cell", "name"), REPLACED.values(), ids=REPLACED.keys())
def test_what_cells_replace_is_found_from_outside_though_the_worker_denies_it(
    zygote: LocalZygote, cell: str, name: str
) -> None:
    assert f"its cells replaced {name}" in reviewed(zygote, f"{LIES}\n{cell}")


@pytest.mark.parametrize("cell", HIDDEN.values(), ids=HIDDEN.keys())
def test_code_that_answers_in_the_workers_place_is_found_though_it_replaces_nothing(
    zygote: LocalZygote, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_WAITING_S", 1.0)
    assert "its process does not wait for requests where it should" in reviewed(zygote, LIES + cell)


@pytest.mark.parametrize("cell", THREADS.values(), ids=THREADS.keys())
def test_a_thread_that_could_answer_in_the_workers_place_is_found(zygote: LocalZygote, cell: str) -> None:
    assert "threads that its cells or functions started still run" in reviewed(zygote, LIES + cell)


def test_threads_that_have_ended_are_not_reported(zygote: LocalZygote) -> None:
    assert reviewed(zygote, NO_THREADS, "print('and some output')") == ""


def test_an_honest_run_is_not_reported(zygote: LocalZygote) -> None:
    with open_session(zygote, *HONEST) as opened:
        opened.session.ready()
        assert [event for event in opened.session.report.events if event.kind == "error"] == []
        opened.session.ready().ask(Operation.SEED, 1)
        opened.session.review()
        assert opened.session.report.review == ()


def test_what_a_check_makes_a_submission_replace_is_found_after_the_last_check(zygote: LocalZygote) -> None:
    later = "def f():\n    import keras.src.saving.saving_lib as lib\n    lib.load_model = print"
    with open_session(zygote, later) as opened:
        opened.session.ready()
        assert opened.session.report.review == ()
        assert opened.student.f() is None
        opened.session.review()
        assert opened.session.report.review == ("its cells replaced keras.src.saving.saving_lib.load_model",)


def test_a_process_that_has_ended_cannot_be_compared_and_the_layers_say_so(zygote: LocalZygote) -> None:
    with open_session(zygote, "import os\ndef f():\n    os._exit(3)") as opened:
        with pytest.raises(BaseException, match="exit status 3"):
            opened.student.f()
        opened.session.review()
        assert opened.session.report.review == ()
        assert opened.session.report.layers[-1] == "not compared after the last check, since its process had ended"


def test_every_new_worker_is_compared(zygote: LocalZygote) -> None:
    cell = "import keras.src.saving.saving_lib as lib\nlib.load_model = print\ndef f():\n    lib.os._exit(3)"
    with open_session(zygote, cell) as opened:
        opened.session.ready()
        opened.session.report.review = ()
        with pytest.raises(BaseException, match="exit status 3"):
            opened.student.f()
        opened.begin()
        opened.session.ready()
        assert "keras.src.saving.saving_lib.load_model" in "".join(opened.session.report.review)


def test_what_a_trusted_run_replaces_is_usual_from_then_on() -> None:
    cell = "import keras.src.saving.saving_lib as lib\nlib.load_model = print"
    with started() as zygote:
        with open_session(zygote, cell, trusted=True) as opened:
            opened.session.ready()
            assert opened.session.report.review == ()
        assert reviewed(zygote, cell) == ""
        assert "save_model" in reviewed(zygote, f"{cell}\nlib.save_model = print")


def test_memory_that_the_worker_took_away_is_reported_and_the_zygote_goes_on(zygote: LocalZygote) -> None:
    """As far as its process lives on: most that do this end."""
    cell = (
        "import ctypes, keras\n"
        "address = id(vars(keras.src.saving.saving_lib)) + 32\n"
        "ctypes.c_uint64.from_address(address).value = 8"
    )
    assert "keras.src.saving.saving_lib (it cannot be read)" in reviewed(zygote, cell)
    assert reviewed(zygote, "x = 1") == ""


def test_a_look_at_a_worker_that_does_not_exist_says_so(zygote: LocalZygote) -> None:
    control = ZygoteClient(zygote.path)
    assert control.look(7).problem == "its process has ended"
    control.close()


def test_without_isolation_workers_are_compared_too() -> None:
    with started(isolation="none") as zygote:
        assert "load_model" in reviewed(zygote, "import keras.src.saving.saving_lib as lib\nlib.load_model = print")
        assert reviewed(zygote, HONEST[0]) == ""


def test_without_the_right_to_trace_the_memory_is_read_through_its_descriptor() -> None:
    def both() -> tuple[str, str]:
        with started() as zygote:
            return reviewed(zygote, "import keras\nkeras.Model.fit = print"), reviewed(zygote, HONEST[0])

    changed, honest = on_a_lesser_machine(both, ("process_vm_readv",))
    assert (changed, honest) == ("its cells replaced keras.src.models.model.Model.fit", "")


def test_where_the_kernel_hands_out_no_memory_the_worker_compares_itself_and_the_layers_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys; from gradetape.sandbox import reports; reports._MEMORY = '/nowhere'; "
        "from gradetape.worker.zygote import main; sys.exit(main())"
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -P -s -c "{code}"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with started() as zygote, open_session(zygote, "import numpy as np\nnp.mean = print") as opened:
        opened.session.ready()
        assert opened.session.report.layers[-1] == BY_ITSELF
        assert opened.session.report.review == ("its cells replaced np.mean",)
        opened.session.review()
        assert opened.session.report.layers[-1] == BY_ITSELF
