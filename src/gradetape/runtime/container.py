"""A zygote in a container: TensorFlow and the student's code in there, the judge and the hidden checks out here.

Two things connect them. The container's standard input and output carry the policy and `ready`, as for any zygote, and
its end of file ends the zygote and with it the container: a grader that is killed leaves none behind. And one folder of
the host's is mounted, in which the zygote makes its socket. That folder is open to everybody, since the engine may map
uids; it lies within one that only the grader can enter.

Killing the engine's client leaves the container running. Therefore every way out removes it by its name, which tells
whose it is; what a grader could not remove, the next one finds and removes.
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

from gradetape import tempdirs as tempdirs
from gradetape.errors import EngineError
from gradetape.records import Limits, Slot
from gradetape.runtime.container_engine import PREFIX, ContainerEngine, ContainerRun, Mount
from gradetape.runtime.launch import ZygoteProcess, environment, require_linux
from gradetape.runtime.seccomp_profile import profile
from gradetape.sandbox.base import Policy
from gradetape.sandbox.seccomp import compile_filter

ENGINES = ("podman", "docker")
_MEETING = "/run/gradetape"
_ZYGOTE_MB = 768  # what TensorFlow takes before any worker does, and the workers of the reference
_ZYGOTE_PROCESSES = 128
_PATIENCE_S = 60.0


class ContainerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which engine runs which image, and how many processors each container may use."""

    engine: ContainerEngine
    image: str
    cpus: float = 1.0


class ContainerZygote(ZygoteProcess):
    """A running zygote in a container of its own; `path` is the socket on which it makes workers."""

    def __init__(self, limits: Limits, container: ContainerSpec, *, keras: str = "3", slot: Slot) -> None:
        require_linux()
        self._engine = container.engine
        with ExitStack() as stack:
            folder = stack.enter_context(tempdirs.folder("gradetape-container-"))
            meeting = folder / "meeting"
            meeting.mkdir()
            meeting.chmod(0o777)
            self._name = name_of_box()
            stack.callback(self._remove)
            gpu = bool(slot.device)
            policy = Policy(
                socket=f"{_MEETING}/zygote", isolation="namespaces", limits=limits, filter=compile_filter(), gpu=gpu
            )
            box = msgspec.structs.replace(
                box_of(limits, container, folder, "gradetape.worker.zygote", slot=slot), name=self._name,
                environment=environment(keras, gpu=gpu), mounts=(Mount(meeting, _MEETING, writable=True),),
            )  # fmt: skip
            # podman leaves a file `oom` where it was started, if the container's memory runs out
            super().__init__(container.engine.run(box), policy, meeting / "zygote", folder / "errors", cwd=folder)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Ends the container and all in it, and removes its folder."""
        super().close()
        self._stack.close()

    def _remove(self) -> None:
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(self._engine.remove(self._name), capture_output=True, timeout=_PATIENCE_S)


def box_of(limits: Limits, container: ContainerSpec, folder: Path, module: str, *rest: str, slot: Slot) -> ContainerRun:
    """A hardened container that runs a module of gradetape's; `folder` is where its filter of system calls is kept."""
    filters = folder / "seccomp.json"
    filters.write_text(json.dumps(profile()))
    return ContainerRun(
        name=name_of_box(), image=container.image, entrypoint="python3", command=("-P", "-s", "-m", module, *rest),
        profile=filters, memory_mb=limits.memory_mb + _ZYGOTE_MB, processes=limits.processes + _ZYGOTE_PROCESSES,
        disk_mb=limits.disk_mb, cpus=container.cpus, slots=(slot,) if slot.device else (),
    )  # fmt: skip


def name_of_box() -> str:
    """A new name, which tells whose the container is."""
    return f"{PREFIX}-{_me()}-{secrets.token_hex(4)}"


def find(asked: str) -> ContainerEngine:
    """The engine that is asked for, or with `auto` the first that is installed; raises EngineError."""
    names = ENGINES if asked == "auto" else (asked,)
    for name in names:
        if shutil.which(name):
            return ContainerEngine(name)
    raise EngineError(
        f"--isolation container needs {' or '.join(names)}, and there is none here. Install one (apt-get install "
        "podman), or grade with --isolation namespaces."
    )


def image_id(engine: ContainerEngine, image: str) -> str:
    """What identifies the image that is there under a name; raises EngineError."""
    run = said(engine.image_id(image))
    if run.returncode != 0:
        raise EngineError(
            f"{engine.name} has no image {image}: {run.stderr.strip()[-300:]}. Build it with `gradetape image build`, "
            "or name another one in grader_config.yml (container: image:)."
        )
    return run.stdout.strip()


def sweep(engine: ContainerEngine) -> tuple[str, ...]:
    """Removes the containers of graders of this machine that are gone; their names."""
    listed = said(engine.names())
    if listed.returncode != 0:
        raise EngineError(f"{engine.name} does not answer: {listed.stderr.strip()[-500:]}. Try: {engine.name} info")
    left = tuple(name for name in listed.stdout.split() if _is_orphan(name))
    if left:
        said(engine.remove(*left))
    return left


def said(argv: list[str], cwd: str | Path = "/") -> subprocess.CompletedProcess[str]:
    """Runs an engine's command to its end; raises EngineError where it cannot be run or says nothing in time."""
    try:
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, cwd=cwd
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"{argv[0]} cannot be asked: {error}. Try: {argv[0]} info") from error


def _me() -> str:
    """This process, in a form that no other one ever has on this machine: its id, and when it was started."""
    return f"{os.getpid()}-{_started(os.getpid())}"


def _is_orphan(name: str) -> bool:
    parts = name.split("-")
    if len(parts) != 4 or parts[0] != PREFIX or not (parts[1] + parts[2]).isdecimal():
        return False
    return _started(int(parts[1])) != parts[2]


def _started(pid: int) -> str:
    """When a process was started, in clock ticks since the machine was; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
