"""Starts a zygote in its own process, with a clean environment, without the grader's variables."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Self

import msgspec

from gradetape import tempdirs
from gradetape.errors import SandboxError, ZygoteError
from gradetape.records import Limits
from gradetape.sandbox.base import Policy
from gradetape.sandbox.groups import sweep
from gradetape.sandbox.seccomp import compile_filter, compile_fixed

ENVIRONMENT = {  # of a zygote
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # gives sets of strings a fixed order, so that results can be reproduced
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # as in a kernel, before Keras imports it
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_DETERMINISTIC_OPS": "1",
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": "/tmp/keras",
}
# The command that runs gradetape in the image of `gradetape image build`, for systems without a sandbox.
IN_THE_IMAGE = "podman run --rm --memory 6g --volume .:/course localhost/gradetape verify --question QUESTION"


class ZygoteProcess:
    """The process of a zygote; it creates workers on request, on the socket `path`. A context manager."""

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
        with suppress(BrokenPipeError):  # its own message is read by wait_ready
            for line in (msgspec.structs.replace(policy, secret=()), policy.secret):
                _pipe(self._process.stdin).write(msgspec.json.encode(line) + b"\n")
            _pipe(self._process.stdin).flush()

    def wait_ready(self) -> None:
        """Waits for the imports; raises SandboxError if the sandbox cannot be set up, ZygoteError for anything else."""
        if self._ready:
            return
        line = _pipe(self._process.stdout).readline().decode(errors="replace").strip()
        if line == "ready":
            self._ready = True
            return
        if line.startswith("broken "):
            raise SandboxError(line.removeprefix("broken "))
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(2)  # it closed its output, and may be about to print the reason
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        tail = self._errors.read()[-2000:].strip()
        raise ZygoteError(
            "TensorFlow could not be started in the worker. Is it installed (pip install 'gradetape[cpu]')? "
            f"Its last output:\n{tail}"
        )

    def ended(self, patience_s: float) -> bool:
        """Whether it has ended, or ends within `patience_s` seconds: its sockets close slightly earlier."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Ends the zygote and all its workers."""
        if not self._ready:
            self._process.kill()  # while it imports it reads nothing, and it has no workers yet
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
    """A zygote on this machine; no worker of it can see the folders in `secret`.

    Raises SandboxError where no sandbox is possible: on systems other than Linux, or without libseccomp.
    """

    def __init__(
        self, limits: Limits, *, secret: tuple[Path, ...], isolation: str = "namespaces", keras: str = "3",
        gpu: bool = False,
    ) -> None:  # fmt: skip
        require_linux()
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempdirs.folder("gradetape-zygote-"))
        path = folder / "zygote"
        hidden = tuple(str(path.resolve()) for path in secret)
        sandboxed = isolation != "none"
        policy = Policy(
            socket=str(path), isolation=isolation, limits=limits, secret=hidden, gpu=gpu,
            filter=compile_filter(gpu=gpu) if sandboxed else b"", fixed=compile_fixed() if sandboxed else b"",
        )  # fmt: skip
        super().__init__(
            # -I would ignore the hash seed too; with this environment, -P and -s are the rest of what it does
            [sys.executable, "-P", "-s", "-m", "gradetape.worker.zygote"], policy, path, folder / "errors",
            environment(keras, gpu=gpu) | (_libraries() if gpu else {}),
        )  # fmt: skip

    def close(self) -> None:
        """Ends the zygote and all its workers, and removes its folder and its control groups."""
        super().close()
        sweep()
        self._stack.close()


def require_linux() -> None:
    """Raises SandboxError on other systems: they have no sandbox, and no socket into their containers."""
    if sys.platform != "linux":
        raise SandboxError(
            "grading needs Linux, whose kernel sandboxes students' code. On this system, verify and grade in the image "
            f"that `gradetape image build` builds: {IN_THE_IMAGE}. `gradetape new` and `gradetape release` work here."
        )


def environment(keras: str, *, gpu: bool) -> dict[str, str]:
    """The whole environment of a zygote; on a GPU each worker gets its own device later."""
    generation = {"TF_USE_LEGACY_KERAS": "1"} if keras == "legacy" else {}
    device = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if gpu else {"CUDA_VISIBLE_DEVICES": "-1"}
    return ENVIRONMENT | generation | device


def _libraries() -> dict[str, str]:
    """The path of an operator's CUDA, if it is not in the usual place, without links: workers see no other folder."""
    given = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    found = [os.path.realpath(folder) for folder in given if os.path.isabs(folder) and os.path.isdir(folder)]
    return {"LD_LIBRARY_PATH": ":".join(found)} if found else {}


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
