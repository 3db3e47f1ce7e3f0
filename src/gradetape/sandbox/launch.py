"""Starts a zygote in a process of its own, with an environment that holds nothing of the grader's."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from gradetape import scratch
from gradetape.errors import WallsError, ZygoteError
from gradetape.records import Limits
from gradetape.sandbox.base import Policy
from gradetape.sandbox.groups import sweep
from gradetape.sandbox.seccomp import compile_filter

_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # sets of strings have one order, so that results can be reproduced
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_DETERMINISTIC_OPS": "1",
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": "/tmp/keras",
}


class Zygote:
    """A running zygote; `path` is the socket on which it makes workers. A context manager.

    Raises WallsError where there can be no walls: on other systems than Linux, or without libseccomp.
    """

    def __init__(
        self, limits: Limits, *, isolation: str = "namespaces", keras: str = "3", device: str = "cpu",
        secret: tuple[Path, ...] = (),
    ) -> None:  # fmt: skip
        if sys.platform != "linux":
            raise WallsError(
                "grading needs Linux, whose walls keep a student's code in. On this system grade in a container, made "
                "from autograder/Containerfile. `gradetape new` and `gradetape release` work here."
            )
        self._ready = False
        self._stack = ExitStack()
        self._folder = self._stack.enter_context(scratch.folder("gradetape-zygote-"))
        self.path = self._folder / "zygote"
        hidden = tuple(str(path.resolve()) for path in secret)
        program = b"" if isolation == "none" else compile_filter()
        policy = Policy(socket=str(self.path), isolation=isolation, limits=limits, secret=hidden, filter=program)
        self._errors = (self._folder / "errors").open("w+")
        self._process = subprocess.Popen(
            # -I would ignore the hash seed too; the environment is ours alone, so -P and -s are all that is left of it
            [sys.executable, "-P", "-s", "-m", "gradetape.farside.zygote"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, cwd="/", start_new_session=True,
            env=_ENVIRONMENT | _generation(keras) | _device(device),
        )  # fmt: skip
        _pipe(self._process.stdin).write(msgspec.json.encode(policy) + b"\n")
        _pipe(self._process.stdin).flush()

    def wait_ready(self) -> None:
        """Waits for the imports; raises WallsError for walls that cannot be built, ZygoteError for anything else."""
        line = _pipe(self._process.stdout).readline().decode(errors="replace").strip()
        if line == "ready":
            self._ready = True
            return
        if line.startswith("broken "):
            raise WallsError(line.removeprefix("broken "))
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(2)  # it has hung up, and may be about to say why
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        tail = self._errors.read()[-2000:].strip()
        raise ZygoteError(
            "TensorFlow could not be started beyond the wall. Is it installed (pip install 'gradetape[cpu]')? "
            f"What it said last:\n{tail}"
        )

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return not self.ended(0.0)

    def ended(self, patience_s: float) -> bool:
        """Whether it has ended, or does so within `patience_s`: its sockets close a little earlier."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Ends it and all its workers, and removes its folder and its control groups."""
        if not self._ready:
            self._process.kill()  # while it imports it hears nothing, and there are no workers yet
        _pipe(self._process.stdin).close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        sweep()
        _pipe(self._process.stdout).close()
        self._errors.close()
        self._stack.close()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _generation(keras: str) -> dict[str, str]:
    return {"TF_USE_LEGACY_KERAS": "1"} if keras == "legacy" else {}


def _device(device: str) -> dict[str, str]:
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": "-1"}
    kept = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "NVIDIA_VISIBLE_DEVICES")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
