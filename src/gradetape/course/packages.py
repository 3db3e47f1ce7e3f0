"""The packages that an assignment adds to what submissions may import: `packages` in its assignment.yml."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

# Packages that provide the same modules.
INSTEAD = {"tensorflow": ("tensorflow-cpu", "tensorflow-intel")}


def valid(text: str) -> str:
    """A requirement as pip reads it, without a place to download it from; raises ValueError for any other text."""
    try:
        need = Requirement(text)
    except InvalidRequirement:
        need = None
    if need is None or need.url or need.marker:
        raise ValueError("write a package as pip reads it, like seaborn or seaborn==0.13.2")
    return text


def installed(name: str) -> str | None:
    """The version of a package in this environment; None if it is missing."""
    for each in (name, *INSTEAD.get(name, ())):
        try:
            return metadata.version(each)
        except metadata.PackageNotFoundError:
            continue
    return None


def fits(need: Requirement) -> bool:
    """Whether this environment has a requirement."""
    found = installed(need.name)
    return found is not None and need.specifier.contains(found, prereleases=True)


def lacking(packages: Iterable[str]) -> tuple[Requirement, ...]:
    """The requirements that this environment does not have."""
    return tuple(need for need in map(Requirement, packages) if not fits(need))


def description(lacking: Iterable[Requirement]) -> str:
    """What this environment has instead, such as `seaborn is missing, pandas 2.1`."""
    return ", ".join(f"{need.name} {installed(need.name) or 'is missing'}" for need in lacking)


def install(lacking: Iterable[Requirement]) -> str:
    """The command that installs requirements."""
    return f"pip install {' '.join(repr(str(need)) for need in lacking)}"


def pinned(package: str, constraints: str) -> str:
    """A requirement with the version that grades: the constraints' one, else the installed one, else as it is."""
    need = Requirement(package)
    found = _pins(constraints).get(canonicalize_name(need.name)) or (installed(need.name) if fits(need) else None)
    extras = f"[{','.join(sorted(need.extras))}]" if need.extras else ""
    return f"{need.name}{extras}=={found}" if found else package


def _pins(constraints: str) -> dict[str, str]:
    lines = (line.partition("#")[0].partition(";")[0].strip() for line in constraints.splitlines())
    pins = (line.partition("==") for line in lines if "==" in line)
    found = {str(canonicalize_name(name.strip())): number.strip() for name, _, number in pins}
    for name, others in INSTEAD.items():
        there = next((found[each] for each in (name, *others) if each in found), None)
        if there:
            found[name] = there
    return found
