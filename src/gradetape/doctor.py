"""What this machine can do for grading: each finding says what is there, or what is missing and what mends it.

The walls are not guessed at: a worker is made behind them, as grading does it, and ended again. What only Linux has is
imported where it is used, so that a person on another system is told so.
"""

from __future__ import annotations

import os
import platform
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
from gradetape.course.config import Config
from gradetape.errors import CourseError, GradetapeError, InfrastructureError

_MB = 1 << 20
_PATIENCE_S = 20.0
_CUDA, _DRIVER = "CUDA 12 (12.5 or later) and cuDNN 9", ">=525.60"
# Packages that bring the same modules.
_INSTEAD = {"tensorflow": ("tensorflow-cpu", "tensorflow-intel")}


class State(StrEnum):
    """What a finding means: all is well, something optional is not there, or grading cannot run."""

    OK = "ok"
    ABSENT = "absent"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; `remedy` is what to do about it, empty where nothing is to be done."""

    name: str
    state: State
    found: str
    remedy: str = ""


def examine(here: Path) -> list[Finding]:
    """Looks at the machine, and at the course that `here` is in; takes some seconds. Raises nothing."""
    course, about_course = _course(here)
    config = course.config if course else Config()
    about_packages = [python(), packages(_required())]
    ready = all(finding.state is State.OK for finding in about_packages)
    return [
        *about_packages,
        walls(config, _secret(course)) if ready else Finding("walls", State.ABSENT, "not tried without the packages"),
        memory(config),
        *map(engine, ("podman", "docker")),
        gpu(),
        image(config),
        browser(),
        space(Path(tempfile.gettempdir())),
        about_course,
    ]


def python() -> Finding:
    """Whether this Python is one that gradetape is made for."""
    wanted = metadata.metadata("gradetape")["Requires-Python"]
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if SpecifierSet(wanted).contains(platform.python_version(), prereleases=True):
        return Finding("python", State.OK, found)
    return Finding("python", State.WRONG, found, f"Install gradetape with a Python that is {wanted}.")


def packages(required: Iterable[str]) -> Finding:
    """Whether the packages that gradetape and its extra `cpu` ask for are there, in versions that fit."""
    wrong = [need for need in map(Requirement, required) if not _fits(need)]
    if not wrong:
        return Finding("packages", State.OK, f"tensorflow {_version('tensorflow')}, keras {_version('keras')}")
    found = ", ".join(f"{need.name} {_version(need.name) or 'is missing'}" for need in wrong)
    wanted = " ".join(f"'{need.name}{need.specifier}'" for need in wrong)
    return Finding("packages", State.WRONG, found, f"pip install {wanted}")


def _required() -> Iterator[str]:
    for text in metadata.requires("gradetape") or ():
        marker = Requirement(text).marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", "cpu")):
            yield text


def _fits(need: Requirement) -> bool:
    found = _version(need.name)
    return found is not None and need.specifier.contains(found, prereleases=True)


def _version(name: str) -> str | None:
    for each in (name, *_INSTEAD.get(name, ())):
        try:
            return metadata.version(each)
        except metadata.PackageNotFoundError:
            continue
    return None


def walls(config: Config, secret: tuple[Path, ...] = ()) -> Finding:
    """Makes a worker behind the walls and ends it; the layers, or what is missing and how to get it."""
    if sys.platform != "linux":
        from gradetape.runtime.launch import IN_THE_IMAGE

        found = f"{platform.system()} has none: they are made of Linux's namespaces, Landlock and seccomp"
        return Finding(
            "walls", State.WRONG, found,
            "init, new, release, show, report and export work here; verify and grade on a Linux machine, or in the "
            f"image that `gradetape image build` makes: {IN_THE_IMAGE}",
        )  # fmt: skip
    from gradetape.sandbox import landlock

    try:
        layers = _layers(config, secret)
    except InfrastructureError as error:
        return Finding("walls", State.WRONG, "a worker could not be made", str(error))
    return Finding("walls", State.OK, f"{', '.join(layers)} (Landlock's version is {landlock.abi()})")


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
    """Whether all lanes could use what the limits give them at the same time."""
    workers = (os.cpu_count() or 1) if config.workers == "auto" else config.workers
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MB
    except (AttributeError, ValueError, OSError):
        return Finding("memory", State.ABSENT, "this system does not say how much there is")
    needed = workers * config.limits.memory_mb
    found = f"{there} MiB for {workers} lanes of at most {config.limits.memory_mb} MiB"
    if needed <= there:
        return Finding("memory", State.OK, found)
    fewer = max(there // config.limits.memory_mb, 1)
    return Finding(
        "memory", State.ABSENT, found,
        f"Where submissions use all that they may, set workers: {fewer} or a smaller limits.memory_mb.",
    )  # fmt: skip


def engine(name: str) -> Finding:
    """Whether a container engine is there and answers."""
    if shutil.which(name) is None:
        return Finding(name, State.ABSENT, "not installed", "Only containers need it; the walls do not.")
    answer = _said(name, "info", "--format", "{{.}}")
    if answer is None:
        mend = "Start it: systemctl start docker" if name == "docker" else f"See what it says: {name} info"
        return Finding(name, State.ABSENT, "installed, and does not answer", mend)
    return Finding(name, State.OK, _said(name, "--version") or "it answers")


def gpu() -> Finding:
    """The GPUs or their MIG slices, and whether their driver is new enough for TensorFlow's CUDA."""
    if shutil.which("nvidia-smi") is None:
        return Finding("gpu", State.ABSENT, "no nvidia-smi here", "Grading runs on the CPU.")
    from gradetape.runtime.devices import discover

    driver = (_said("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader") or "").partition("\n")[0]
    cards = [f"{device.index}: {device.name}, {device.memory_mb} MiB" for device in discover()]
    if not cards:
        return Finding("gpu", State.ABSENT, "nvidia-smi finds none", "See what it says: nvidia-smi")
    found = f"{'; '.join(cards)}; driver {driver or 'unknown'}, for TensorFlow's {_CUDA}"
    if driver and not SpecifierSet(_DRIVER).contains(driver):
        return Finding("gpu", State.ABSENT, found, f"CUDA 12 needs a driver that is {_DRIVER}: install a newer one.")
    return Finding("gpu", State.OK, found)


def image(config: Config) -> Finding:
    """Whether the image for `isolation: container` is there."""
    from gradetape.runtime import container

    wanted = State.WRONG if config.isolation == "container" else State.ABSENT
    try:
        engine = container.find(config.container.engine)
        found = container.image_id(engine, config.container.image)
    except InfrastructureError as error:
        return Finding("image", wanted, f"{config.container.image} cannot be used", str(error))
    return Finding("image", State.OK, f"{config.container.image} {found.removeprefix('sha256:')[:12]} ({engine.name})")


def browser() -> Finding:
    """Whether `report --open` will find a browser."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return Finding("browser", State.ABSENT, "none found", "Copy results/ to where there is one, or set BROWSER.")
    return Finding("browser", State.OK, getattr(found, "name", "") or "there is one")


def space(folder: Path, needed_mb: int = 200) -> Finding:
    """Whether there is room for temporary files."""
    free = shutil.disk_usage(folder).free // _MB
    found = f"{free} MiB free in {folder}"
    if free >= needed_mb:
        return Finding("disk", State.OK, found)
    return Finding("disk", State.WRONG, found, f"Free {needed_mb} MiB there, or set TMPDIR to a folder with room.")


def _course(here: Path) -> tuple[courses.Course | None, Finding]:
    try:
        course = courses.find(here)
        names = course.names()
        for name in names:
            course.assignment(name)
    except CourseError as error:
        if courses.root_of(here) is None:
            return None, Finding("course", State.ABSENT, f"{here} is in none", "Begin one: gradetape init FOLDER")
        return None, Finding("course", State.WRONG, "it has mistakes", str(error))
    except GradetapeError as error:
        return None, Finding("course", State.WRONG, "it has mistakes", str(error))
    return course, Finding("course", State.OK, f"{course.config.course}: {', '.join(names) or 'no assignments yet'}")


def _secret(course: courses.Course | None) -> tuple[Path, ...]:
    return () if course is None else (course.root / "solutions", course.root / "autograder")


def _said(*command: str) -> str | None:
    """What a program prints; None where it fails or says nothing in time."""
    try:
        run = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
