"""Checks whether this machine can grade: each finding describes a part of it, and how to fix what is missing.

The sandbox is tested, not guessed: a worker is started in it, as for grading, and ended. Modules that exist only on
Linux are imported where they are used, so that users of another system get a finding instead of a traceback.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Iterable, Iterator
from enum import StrEnum
from importlib import metadata
from pathlib import Path

import msgspec
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from gradetape.course import assignments as courses
from gradetape.course import packages as course_packages
from gradetape.course.config import Config
from gradetape.course.packages import installed
from gradetape.engine.ray.nodes import NodeStatus
from gradetape.engine.ray.opening import nodes_of
from gradetape.errors import CourseError, GradetapeError, InfrastructureError
from gradetape.files import open_to_all
from gradetape.remote.budget import JUDGE_MB
from gradetape.runtime.processors import workers_of

_MB = 1 << 20
_PATIENCE_S = 20.0
_CUDA, _DRIVER = "CUDA 12 (12.5 or later) and cuDNN 9", ">=525.60"


class State(StrEnum):
    """The meaning of a finding: fine, something optional is missing, or grading cannot run."""

    OK = "ok"
    ABSENT = "absent"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True):
    """The result of one check of the machine; `remedy` says how to fix it, and is empty if there is nothing to fix."""

    name: str
    state: State
    found: str
    remedy: str = ""

    @property
    def label(self) -> str:
        """The name that people read; `name` is for programs."""
        return "sandbox" if self.name == "walls" else self.name


def examine(here: Path, engine_name: str | None = None, address: str | None = None) -> list[Finding]:
    """Checks the machine, the course that `here` is in, and with `engine: ray` the nodes of the cluster at an address.

    Takes some seconds. Raises nothing. `engine_name` overrides the configuration.
    """
    course, about_course = _course(here)
    config = course.config if course else Config()
    about_packages = [python(), packages(_required())]
    ready = all(finding.state is State.OK for finding in about_packages)
    return [
        *about_packages,
        sandbox(config, _secret(course))
        if ready
        else Finding("walls", State.ABSENT, "not tested: packages are missing"),
        memory(config),
        *map(engine, ("podman", "docker")),
        gpu(),
        image(config),
        browser(),
        space(Path(tempfile.gettempdir())),
        about_course,
        *course_needs(course),
        *results(course),
        *(cluster(config, _secret(course), address) if (engine_name or config.engine) == "ray" else ()),
    ]


def python() -> Finding:
    """Whether gradetape supports this Python."""
    wanted = metadata.metadata("gradetape")["Requires-Python"]
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if SpecifierSet(wanted).contains(platform.python_version(), prereleases=True):
        return Finding("python", State.OK, found)
    return Finding("python", State.WRONG, found, f"Install gradetape with Python {wanted}.")


def packages(required: Iterable[str]) -> Finding:
    """Whether the requirements of gradetape and its extra `cpu` are installed, in matching versions."""
    wrong = course_packages.lacking(required)
    if not wrong:
        return Finding("packages", State.OK, f"tensorflow {installed('tensorflow')}, keras {installed('keras')}")
    found = course_packages.description(wrong)
    wanted = " ".join(f"'{need.name}{need.specifier}'" for need in wrong)
    return Finding("packages", State.WRONG, found, f"pip install {wanted}")


def _required() -> Iterator[str]:
    for text in metadata.requires("gradetape") or ():
        marker = Requirement(text).marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", "cpu")):
            yield text


def course_needs(course: courses.Course | None) -> list[Finding]:
    """Whether the packages that the course's assignments add are installed; nothing if they add none."""
    try:
        needed = course.packages if course else ()
    except GradetapeError:
        return []  # told as the finding about the course
    if not needed or course is None:
        return []
    if course.config.isolation == "container":
        return [Finding("course packages", State.OK, f"{', '.join(needed)}: gradetape image build installs them")]
    wrong = course_packages.lacking(needed)
    if not wrong:
        return [Finding("course packages", State.OK, ", ".join(needed))]
    found = f"{course_packages.description(wrong)}: assignments list it under packages"
    return [Finding("course packages", State.WRONG, found, course_packages.install(wrong))]


def sandbox(config: Config, secret: tuple[Path, ...]) -> Finding:
    """Starts a sandboxed worker and ends it; reports the isolation layers, or what is missing and how to get it."""
    if sys.platform != "linux":
        from gradetape.runtime.launch import IN_THE_IMAGE

        found = f"{platform.system()} has none: the sandbox needs namespaces, Landlock and seccomp of Linux"
        return Finding(
            "walls", State.WRONG, found,
            "init, new, release, show, report and export work here; verify and grade on a Linux machine, or in the "
            f"image that `gradetape image build` builds: {IN_THE_IMAGE}",
        )  # fmt: skip
    from gradetape.sandbox import landlock

    try:
        layers = _layers(config, secret)
    except InfrastructureError as error:
        return Finding("walls", State.WRONG, "a worker could not be started", str(error))
    return Finding("walls", State.OK, f"{', '.join(layers)} (Landlock ABI version {landlock.abi()})")


def _layers(config: Config, secret: tuple[Path, ...]) -> tuple[str, ...]:
    from gradetape.remote.zygote_client import ZygoteClient
    from gradetape.runtime.launch import LocalZygote

    isolation = "none" if config.isolation == "none" else "namespaces"
    with LocalZygote(config.limits.record(), isolation=isolation, keras=str(config.keras), secret=secret) as zygote:
        zygote.wait_ready()
        control = ZygoteClient(zygote.path)
        try:
            worker, data, layers = control.spawn("student", config.limits.load_s)
            data.close()
            control.end(worker)
        finally:
            control.close()
    return layers


def memory(config: Config) -> Finding:
    """Whether all workers, and a judge for each, could use their memory limits at the same time."""
    workers = workers_of(config)
    try:
        there = min(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), _around()) // _MB
    except (AttributeError, ValueError, OSError):
        return Finding("memory", State.ABSENT, "the size of the memory is unknown")
    each = config.limits.memory_mb + JUDGE_MB
    found = (
        f"{there} MiB for {workers} workers with at most {config.limits.memory_mb} MiB each, "
        f"and at most {JUDGE_MB} MiB for the judge of each"
    )
    if workers * each <= there:
        return Finding("memory", State.OK, found)
    fewer = max(there // each, 1)
    return Finding(
        "memory", State.ABSENT, found,
        f"If submissions use their whole limit, set workers: {fewer} or a smaller limits.memory_mb.",
    )  # fmt: skip


def _around() -> int:
    """The memory that the control groups around this process allow, in bytes."""
    if sys.platform != "linux":
        return sys.maxsize
    from gradetape.sandbox.groups import memory_around

    return memory_around()


def engine(name: str) -> Finding:
    """Whether a container engine is installed and answers."""
    if shutil.which(name) is None:
        return Finding(name, State.ABSENT, "not installed", "Only --isolation container needs it.")
    answer = _output(name, "info", "--format", "{{.}}")
    if answer is None:
        fix = "Start it: systemctl start docker" if name == "docker" else f"Run {name} info to see why."
        return Finding(name, State.ABSENT, "installed, but does not answer", fix)
    return Finding(name, State.OK, _output(name, "--version") or "it answers")


def gpu() -> Finding:
    """The GPUs or their MIG slices, and whether the driver is new enough for TensorFlow's CUDA."""
    if shutil.which("nvidia-smi") is None:
        return Finding("gpu", State.ABSENT, "nvidia-smi is not installed", "Grading runs on the CPU.")
    from gradetape.runtime.devices import discover

    driver = (_output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader") or "").partition("\n")[0]
    cards = [f"{device.index}: {device.name}, {device.memory_mb} MiB" for device in discover()]
    if not cards:
        return Finding("gpu", State.ABSENT, "nvidia-smi finds none", "Run nvidia-smi to see why.")
    found = f"{'; '.join(cards)}; driver {driver or 'unknown'}, for TensorFlow's {_CUDA}"
    if driver and not SpecifierSet(_DRIVER).contains(driver):
        return Finding("gpu", State.ABSENT, found, f"CUDA 12 needs driver {_DRIVER}: install a newer one.")
    return Finding("gpu", State.OK, found)


def image(config: Config) -> Finding:
    """Whether the image for `isolation: container` is available."""
    from gradetape.runtime import container

    wanted = State.WRONG if config.isolation == "container" else State.ABSENT
    try:
        engine = container.find(config.container.engine)
        found = container.image_id(engine, config.container.image)
    except InfrastructureError as error:
        return Finding("image", wanted, f"{config.container.image} cannot be used", str(error))
    return Finding("image", State.OK, f"{config.container.image} {found.removeprefix('sha256:')[:12]} ({engine.name})")


def browser() -> Finding:
    """Whether `report --open` finds a browser."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return Finding("browser", State.ABSENT, "none found", "Copy results/ to another machine, or set BROWSER.")
    return Finding("browser", State.OK, getattr(found, "name", "") or "found")


def cluster(config: Config, secret: tuple[Path, ...], address: str | None) -> list[Finding]:
    """Each node of a Ray cluster, with its places, devices and versions; its sandbox is proven, as before a batch."""
    try:
        nodes = nodes_of(config, secret, address)
    except GradetapeError as error:
        return [Finding("ray", State.WRONG, "no cluster can be used", str(error))]
    return [Finding("ray", *_node(node)) for node in nodes]


def _node(node: NodeStatus) -> tuple[State, str, str]:
    if node.environment is None or not node.ready:
        return State.WRONG, f"{node.name} cannot judge", node.why
    versions = node.environment.versions
    known = [f"{name} {versions[name]}" for name in ("python", "tensorflow", "keras") if name in versions]
    places = f"{node.slots} at the same time, sandbox proven"
    return State.OK, f"{node.name}: {places}; {', '.join(known)}; {node.environment.message}", ""


def space(folder: Path, needed_mb: int = 200) -> Finding:
    """Whether there is enough space for temporary files."""
    free = shutil.disk_usage(folder).free // _MB
    found = f"{free} MiB free in {folder}"
    if free >= needed_mb:
        return Finding("disk", State.OK, found)
    return Finding("disk", State.WRONG, found, f"Free {needed_mb} MiB there, or set TMPDIR to another folder.")


def results(course: courses.Course | None) -> list[Finding]:
    """Whether only their owner and the owner's group can read the results; nothing before anything is graded."""
    if course is None or not (folder := course.root / course.config.results).is_dir():
        return []
    found = [path for path in (folder, course.gradebook_file) if path is not None and open_to_all(path)]
    if not found:
        return [Finding("results", State.OK, f"{folder} is closed to the other users of this machine")]
    names = " and ".join(map(str, found))
    fix = f"chmod -R o-rwx {' '.join(shlex.quote(str(path)) for path in found)}"
    return [Finding("results", State.ABSENT, f"every user of this machine can read {names}", f"Close it: {fix}")]


def _course(here: Path) -> tuple[courses.Course | None, Finding]:
    try:
        course = courses.find(here)
        names = course.names()
        for name in names:
            course.assignment(name)
    except CourseError as error:
        if courses.root_of(here) is None:
            detail = f"{here} is not in a course"
            return None, Finding("course", State.ABSENT, detail, "Create one: gradetape init FOLDER")
        return None, Finding("course", State.WRONG, "it has errors", str(error))
    except GradetapeError as error:
        return None, Finding("course", State.WRONG, "it has errors", str(error))
    return course, Finding("course", State.OK, f"{course.config.course}: {', '.join(names) or 'no assignments yet'}")


def _secret(course: courses.Course | None) -> tuple[Path, ...]:
    return () if course is None else (course.root / "solutions", course.root / "autograder")


def _output(*command: str) -> str | None:
    """The output of a program; None if it fails or times out."""
    try:
        run = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
