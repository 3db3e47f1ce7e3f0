"""`python -m benchmarks.looks`: what it costs to compare a worker's memory with the zygote's.

The CPU time of the zygote for one look, before and after an honest run of Keras, and what the inventory costs once.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

import numpy as np

from benchmarks.measure import spread
from gradetape.sandbox.reports import WorkerMemory
from gradetape.wire.messages import Look
from gradetape.worker.comparison import Comparison, WaitingPlace
from gradetape.worker.generation import keras
from gradetape.worker.huge_pages import use_huge_pages
from gradetape.worker.output import waits_for_output
from gradetape.worker.worker import Worker

REPEATS = 30


def main() -> None:
    """Forks this process in the place of a zygote, and looks at the children."""
    worker = Worker(socket.socketpair()[0], 1000)
    begun = time.thread_time()
    comparison = Comparison(worker, WaitingPlace(sys._getframe(), *worker.loop()), waits_for_output())
    table = Table("Measurement", "CPU time: median (min to max)", "Target")
    table.add_row("the inventory, once for each zygote", f"{time.thread_time() - begun:.2f} s", "")
    gc.freeze()
    use_huge_pages()
    for label, work in (("a new worker", _nothing), ("a worker that has trained and saved", _train)):
        table.add_row(f"a look at {label}", spread(_looks(comparison, work), "ms", 1e3), "20 ms")
    Console(width=110).print(table)


def _looks(comparison: Comparison, work: Callable[[], object]) -> list[float]:
    """The CPU seconds of looks at a fork that has done some work."""
    done, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        work()
        os.write(tell, b"x")
        time.sleep(600)
    os.read(done, 1)
    opened, frames = (os.open(f"/proc/{pid}/{name}", os.O_RDONLY) for name in ("mem", "pagemap"))
    memory = WorkerMemory(opened, pid, frames)
    taken = []
    for _ in range(REPEATS):
        begun = time.thread_time()
        comparison.look(memory, 0, Look(1))
        taken.append(time.thread_time() - begun)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(opened)
    os.close(frames)
    return taken


def _nothing() -> None:
    """A worker that has only begun."""


def _train() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.zeros((8, 3)), np.zeros((8, 1)), verbose=0)
    path = f"/tmp/looks-{os.getpid()}.keras"
    model.save(path)
    keras.models.load_model(path)
    os.unlink(path)


if __name__ == "__main__":
    main()
