"""The container image: its build context, and the inspection of a container from inside.

The build context is a separate folder that holds a wheel of this gradetape, its requirements, and the course's
constraints: nothing else of the course can get into the image.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import msgspec
from packaging.requirements import Requirement

from gradetape import __version__
from gradetape.errors import EngineError
from gradetape.records import Limits, Slot
from gradetape.remote.budget import CheckBudget
from gradetape.remote.roles import STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.container import ContainerSpec, ContainerZygote, hardened_run, image_id, run_engine
from gradetape.runtime.container_engine import CAPABILITIES

_PACKAGE = Path(__file__).parents[1]
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same sources give the same wheel, so that the engine reuses its layers
_WHEEL = "Wheel-Version: 1.0\nGenerator: gradetape\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_KILLED = 137
_NUMBERS = {"KILL": 5, "SETGID": 6, "SETUID": 7}


class Inspection(msgspec.Struct, frozen=True):
    """One property inspected from inside: its name, whether it is as required, and what was seen."""

    what: str
    ok: bool
    seen: str


def check(container: ContainerSpec, limits: Limits, slot: Slot) -> Iterator[Inspection]:
    """Inspects containers of the image from inside, and starts a worker in one.

    Raises EngineError, SandboxError or ZygoteError if a container or its worker cannot be started.
    """
    yield Inspection("image", True, f"{container.image} {image_id(container.engine, container.image)[:19]}")
    seen = _look(container, limits, slot)
    yield Inspection("network", seen["interfaces"] in ([], ["lo"]) and not seen["routes"], f"{seen['interfaces']}")
    yield Inspection("root", not seen["writable"], f"writable: {seen['writable'] or 'nothing'}")
    allowed = sum(1 << _NUMBERS[name] for name in CAPABILITIES)
    yield Inspection("capabilities", not seen["capabilities"] & ~allowed, f"{seen['capabilities']:#x}: {CAPABILITIES}")
    yield Inspection(
        "privileges", seen["no_new_privileges"] and seen["filtered"], "no new privileges, system calls filtered"
    )
    yield Inspection("secrets", not seen["secrets"], f"{seen['secrets'] or 'none in the image'}")
    yield _memory(container, limits, slot)
    yield _processes(container, limits, slot)
    yield _worker(container, limits, slot)


def _look(container: ContainerSpec, limits: Limits, slot: Slot) -> dict[str, Any]:
    run = _probe(container, limits, slot, "look")
    if run.returncode != 0:
        raise EngineError(
            f"{container.image} does not run: {run.stderr.strip()[-500:]}. Rebuild it with `gradetape image build`."
        )
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen


def _memory(container: ContainerSpec, limits: Limits, slot: Slot) -> Inspection:
    run = _probe(container, limits, slot, "memory")
    return Inspection(
        "memory", run.returncode == _KILLED, f"a process that allocates without end exits with status {run.returncode}"
    )


def _processes(container: ContainerSpec, limits: Limits, slot: Slot) -> Inspection:
    run = _probe(container, limits, slot, "processes")
    return Inspection("processes", run.returncode == 0, f"no more than {run.stdout.strip()} could be started")


def _worker(container: ContainerSpec, limits: Limits, slot: Slot) -> Inspection:
    with ContainerZygote(limits, container, slot=slot) as zygote:
        zygote.wait_ready()
        control, budget = ZygoteClient(zygote.path, slot), CheckBudget()
        budget.begin(limits.load_s)
        session = RemoteSession(control, STUDENT, (), limits, budget)
        session.ready()
        session.close()
        control.close()
    seen = ", ".join(session.report.devices) or "the CPU"
    return Inspection(
        "worker",
        True,
        f"TensorFlow {session.report.versions['tensorflow']} on {seen}; {', '.join(session.report.layers)}",
    )


def _probe(container: ContainerSpec, limits: Limits, slot: Slot, what: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(prefix="gradetape-probe-") as folder:
        run = hardened_run(limits, container, Path(folder), "gradetape.worker.probe", what, slot=slot)
        try:
            return run_engine(container.engine.run(run), cwd=folder)
        finally:
            run_engine(container.engine.remove(run.name))


@contextmanager
def context(root: Path, packages: Iterable[str] = ()) -> Iterator[Path]:
    """The build context of a course's image, with the packages of its assignments; it is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="gradetape-image-") as made:
        folder = Path(made)
        own = root / "autograder" / "Containerfile"
        text = own.read_bytes() if own.is_file() else _containerfile()
        pins = root / "constraints.txt"
        (folder / "Containerfile").write_bytes(text)
        (folder / "constraints.txt").write_bytes(pins.read_bytes() if pins.is_file() else b"")
        (folder / "requirements.txt").write_text("\n".join([*requirements(), *packages]) + "\n")
        _write_wheel(folder)
        yield folder


def _containerfile() -> bytes:
    return (resources.files("gradetape.scaffold") / "course" / "autograder" / "Containerfile.tmpl").read_bytes()


def requirements() -> list[str]:
    """The requirements of gradetape and tf-keras; TensorFlow itself is in the base image."""
    found = map(Requirement, metadata.requires("gradetape") or ())
    plain = [need for need in found if need.marker is None or "extra" not in str(need.marker)]
    return [*map(str, plain), f"tf-keras{_tf_keras().specifier}"]


def _tf_keras() -> Requirement:
    return next(need for need in map(Requirement, metadata.requires("gradetape") or ()) if need.name == "tf-keras")


def _write_wheel(folder: Path) -> None:
    """Writes a wheel of the running gradetape, whether installed or run from a checkout."""
    info = f"gradetape-{__version__}.dist-info"
    own = metadata.distribution("gradetape")
    members = {f"gradetape/{path.relative_to(_PACKAGE).as_posix()}": path.read_bytes() for path in _sources()}
    for name in ("METADATA", "entry_points.txt"):
        members[f"{info}/{name}"] = (own.read_text(name) or "").encode()
    members[f"{info}/WHEEL"] = _WHEEL.encode()
    members[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*members, f"{info}/RECORD"]).encode()
    with zipfile.ZipFile(folder / f"gradetape-{__version__}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in members.items():
            wheel.writestr(zipfile.ZipInfo(name, _EPOCH), data)


def _sources() -> list[Path]:
    return [path for path in sorted(_PACKAGE.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
