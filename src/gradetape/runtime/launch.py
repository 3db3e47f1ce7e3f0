"""Starts a zygote in a process of its own, with an environment that holds nothing of the grader's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Self

import msgspec

from gradetape import tempdirs as tempdirs
from gradetape.errors import SandboxError, ZygoteError
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
# How a system that has no such walls runs a verb of gradetape's in the image that `gradetape image build` makes.
IN_THE_IMAGE = "podman run --rm --memory 6g --volume .:/course localhost/gradetape verify --question STEM"


class ZygoteProcess:
    """A zygote's process, however it was started; `path` is the socket on which it makes workers. A context manager."""

    def __init__(
        self, command: Sequence[str], policy: Policy, path: Path, errors: Path,
        variables: Mapping[str, str] | None = None, cwd: str | Path = "/",
    ) -> None:  # fmt: skip
        self._ready = False
        self.path = path
        self._errors = errors.open("w+")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, cwd=cwd,
            start_new_session=True, env=variables,
        )  # fmt: skip
        with suppress(BrokenPipeError):  # what it says of itself is told when it is waited for
            _pipe(self._process.stdin).write(msgspec.json.encode(policy) + b"\n")
            _pipe(self._process.stdin).flush()

    def wait_ready(self) -> None:
        """Waits for the imports; raises WallsError for walls that cannot be built, ZygoteError for anything else."""
        if self._ready:
            return
        line = _pipe(self._process.stdout).readline().decode(errors="replace").strip()
        if line == "ready":
            self._ready = True
            return
        if line.startswith("broken "):
            raise SandboxError(line.removeprefix("broken "))
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
        """Ends it and all its workers."""
        if not self._ready:
            self._process.kill()  # while it imports it hears nothing, and there are no workers yet
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _pipe(self._process.stdout).close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LocalZygote(ZygoteProcess):
    """A zygote on this machine.

    Raises WallsError where there can be no walls: on other systems than Linux, or without libseccomp.
    """

    def __init__(
        self, limits: Limits, *, isolation: str = "namespaces", keras: str = "3", gpu: bool = False,
        secret: tuple[Path, ...] = (),
    ) -> None:  # fmt: skip
        require_linux()
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempdirs.folder("gradetape-zygote-"))
        path = folder / "zygote"
        hidden = tuple(str(path.resolve()) for path in secret)
        program = b"" if isolation == "none" else compile_filter()
        policy = Policy(
            socket=str(path), isolation=isolation, limits=limits, secret=hidden, filter=program, gpu=gpu
        )  # fmt: skip
        super().__init__(
            # -I would ignore the hash seed too; the environment is ours alone, so -P and -s are all that is left of it
            [sys.executable, "-P", "-s", "-m", "gradetape.worker.zygote"], policy, path, folder / "errors",
            environment(keras, gpu=gpu) | (_libraries() if gpu else {}),
        )  # fmt: skip

    def close(self) -> None:
        """Ends it and all its workers, and removes its folder and its control groups."""
        super().close()
        sweep()
        self._stack.close()


def require_linux() -> None:
    """Raises WallsError on other systems: they have no walls, and no socket leads into their containers."""
    if sys.platform != "linux":
        raise SandboxError(
            "grading needs Linux, whose walls keep a student's code in. On this system verify and grade in the image "
            f"that `gradetape image build` makes: {IN_THE_IMAGE}. `gradetape new` and `gradetape release` work here."
        )


def environment(keras: str, *, gpu: bool) -> dict[str, str]:
    """All that a zygote's environment holds; on a GPU each worker gets its own device later."""
    generation = {"TF_USE_LEGACY_KERAS": "1"} if keras == "legacy" else {}
    device = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if gpu else {"CUDA_VISIBLE_DEVICES": "-1"}
    return _ENVIRONMENT | generation | device


def _libraries() -> dict[str, str]:
    """Where an operator's CUDA lies, if it lies elsewhere than usual."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
