"""What the zygote makes before it forks: the imports, the worker that every fork continues, and its inventory.

TensorFlow is imported by `warm_up`, after the zygote has chosen a sandbox.
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from gradetape.errors import SandboxError
from gradetape.worker.forker import DATA
from gradetape.worker.huge_pages import use_huge_pages

if TYPE_CHECKING:
    from gradetape.worker.comparison import Comparison
    from gradetape.worker.worker import Worker


class WarmWorker(NamedTuple):
    """A worker that has not begun, and what it is compared with; None where nothing can be compared.

    `serve` continues it in a fork.
    """

    serve: Callable[[int], None]
    comparison: Comparison | None


def warm_up(output_limit: int, running: FrameType) -> WarmWorker:
    """Imports everything that workers need, and makes one; raises SandboxError if the imports computed something.

    `running` is a frame that runs whenever a worker is forked.
    """
    import h5py  # noqa: F401
    import tensorflow as tf
    from tensorflow.python.eager import context

    from gradetape.worker.worker import Worker

    _ = tf.keras.Model  # it is loaded when it is first used: from now on it is the course's Keras
    if context.context()._context_handle is not None:
        raise SandboxError(
            "importing TensorFlow computed something: its forks would deadlock. Install the TensorFlow that gradetape "
            "asks for: pip install 'gradetape[cpu]'"
        )
    worker = Worker(_data_socket(), output_limit)
    gc.collect()
    comparison = _comparison(worker, running)
    gc.freeze()
    use_huge_pages()
    return WarmWorker(worker.serve, comparison)


def _data_socket() -> socket.socket:
    """A socket whose descriptor is replaced in each fork by the worker's own."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        os.dup2(ours.fileno(), DATA, inheritable=False)
    return socket.socket(fileno=DATA)


def _comparison(worker: Worker, running: FrameType) -> Comparison | None:
    from gradetape.worker.comparison import Comparison, WaitingPlace
    from gradetape.worker.layout import UnknownLayout
    from gradetape.worker.memory import MemoryUnreadable
    from gradetape.worker.output import waits_for_output

    try:
        return Comparison(worker, WaitingPlace(running, *worker.loop()), waits_for_output())
    except (UnknownLayout, MemoryUnreadable):
        return None
