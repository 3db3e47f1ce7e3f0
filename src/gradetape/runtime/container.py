"""A zygote in a container: TensorFlow and the student's code run inside, the judge and the hidden checks outside.

Two things connect them. The container's standard input and output carry the policy and `ready`, as for any zygote, and
end of file on its standard input ends the zygote and with it the container: a grader that is killed leaves no container
behind. And one folder of the host is mounted, in which the zygote creates its socket. That folder is open to everybody,
since the engine may map uids; it is inside a folder that only the grader can enter.

Killing the engine's client leaves the container running. Therefore every exit path removes the container by its name,
which names the grader's process; the next grader removes what an earlier one could not.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec

from gradetape import tempdirs
from gradetape.errors import EngineError
from gradetape.records import Limits, Slot
from gradetape.runtime.container_engine import PREFIX, ContainerEngine, ContainerRun, Mount
from gradetape.runtime.launch import ZygoteProcess, environment, require_linux
from gradetape.runtime.seccomp_profile import profile
from gradetape.sandbox.base import Policy
from gradetape.sandbox.seccomp import compile_filter, compile_fixed

ENGINES = ("podman", "docker")
_SHARED = "/run/gradetape"
_ZYGOTE_MB = 768  # for TensorFlow itself, and for the workers of the reference
_ZYGOTE_PROCESSES = 128
_PATIENCE_S = 60.0


class ContainerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The engine, the image, and the number of processors that each container may use."""

    engine: ContainerEngine
    image: str
    cpus: float = 1.0


class ContainerZygote(ZygoteProcess):
    """A running zygote in its own container; it creates workers on request, on the socket `path`."""

    def __init__(self, limits: Limits, container: ContainerSpec, *, keras: str = "3", slot: Slot) -> None:
        require_linux()
        self._engine = container.engine
        with ExitStack() as stack:
            folder = stack.enter_context(tempdirs.folder("gradetape-container-"))
            shared = folder / "shared"
            shared.mkdir()
            shared.chmod(0o777)
            self._name = container_name()
            stack.callback(self._remove)
            gpu = bool(slot.device)
            policy = Policy(
                socket=f"{_SHARED}/zygote", isolation="namespaces", limits=limits, secret=(),
                filter=compile_filter(gpu=gpu), fixed=compile_fixed(), gpu=gpu,
            )  # fmt: skip
            run = msgspec.structs.replace(
                hardened_run(limits, container, folder, "gradetape.worker.zygote", slot=slot), name=self._name,
                environment=environment(keras, gpu=gpu), mounts=(Mount(shared, _SHARED, writable=True),),
            )  # fmt: skip
            # podman writes a file `oom` to its working directory if the container's memory runs out
            super().__init__(container.engine.run(run), policy, shared / "zygote", folder / "errors", cwd=folder)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Ends the container and every process in it, and removes its folder."""
        super().close()
        self._stack.close()

    def _remove(self) -> None:
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(self._engine.remove(self._name), capture_output=True, timeout=_PATIENCE_S)


def hardened_run(
    limits: Limits, container: ContainerSpec, folder: Path, module: str, *rest: str, slot: Slot
) -> ContainerRun:  # fmt: skip
    """A hardened container that runs a module of gradetape; `folder` is where its system call filter is kept."""
    filters = folder / "seccomp.json"
    filters.write_text(json.dumps(profile()))
    return ContainerRun(
        name=container_name(), image=container.image, entrypoint="python3", command=("-P", "-s", "-m", module, *rest),
        profile=filters, memory_mb=limits.memory_mb + _ZYGOTE_MB, processes=limits.processes + _ZYGOTE_PROCESSES,
        disk_mb=limits.disk_mb, cpus=container.cpus, slots=(slot,) if slot.device else (),
    )  # fmt: skip


def container_name() -> str:
    """A new name, which names this process."""
    return f"{PREFIX}-{_this_process()}-{secrets.token_hex(4)}"


def find(requested: str) -> ContainerEngine:
    """The requested engine, or with `auto` the first that is installed; raises EngineError."""
    names = ENGINES if requested == "auto" else (requested,)
    for name in names:
        if shutil.which(name):
            return ContainerEngine(name)
    raise EngineError(
        f"--isolation container needs {' or '.join(names)}, which is not installed. Install one (apt-get install "
        "podman), or grade with --isolation namespaces."
    )


def image_id(engine: ContainerEngine, image: str) -> str:
    """The id of a local image; raises EngineError."""
    run = run_engine(engine.image_id(image))
    if run.returncode != 0:
        raise EngineError(
            f"{engine.name} has no image {image}: {run.stderr.strip()[-300:]}. Build it with `gradetape image build`, "
            "or name another image in grader_config.yml (container: image:)."
        )
    return run.stdout.strip()


def sweep(engine: ContainerEngine) -> tuple[str, ...]:
    """Removes the containers that graders of this machine left behind when they ended; returns their names."""
    listed = run_engine(engine.names())
    if listed.returncode != 0:
        raise EngineError(f"{engine.name} does not answer: {listed.stderr.strip()[-500:]}. Try: {engine.name} info")
    orphans = tuple(name for name in listed.stdout.split() if _is_orphan(name))
    if orphans:
        run_engine(engine.remove(*orphans))
    return orphans


def run_engine(argv: list[str], cwd: str | Path = "/") -> subprocess.CompletedProcess[str]:
    """Runs an engine's command to its end; raises EngineError if it cannot be run or times out."""
    try:
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, cwd=cwd
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"{argv[0]} cannot be run: {error}. Try: {argv[0]} info") from error


def _this_process() -> str:
    """This process, as no other one on this machine is ever named: its id and its start time."""
    return f"{os.getpid()}-{_started(os.getpid())}"


def _is_orphan(name: str) -> bool:
    parts = name.split("-")
    if len(parts) != 4 or parts[0] != PREFIX or not (parts[1] + parts[2]).isdecimal():
        return False
    return _started(int(parts[1])) != parts[2]


def _started(pid: int) -> str:
    """The start time of a process, in clock ticks since the machine started; empty without such a process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
