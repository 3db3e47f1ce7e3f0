"""Builds the image and grades in it, on machines that cannot reach an image registry: `make image-ci`.

The published base image with CUDA is several gigabytes on a registry. Here a Debian with the same TensorFlow for the
CPU replaces it: mmdebstrap creates the Debian from this machine's package sources, pip downloads the wheels with this
machine's settings, and both are mounted only during the build. This tests the Containerfile, the engine's flags, the
sandbox inside, and that verdicts are the same; it does not test CUDA.

As root on Debian or Ubuntu it installs what it needs; elsewhere it uses what is installed. At the end it lists which
tiers ran, and why others were skipped. Exit status 1: a tier failed. `make image-ci-build` ends after the first tier.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gradetape.runtime.image import requirements

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "image-ci"
DEBIAN, STAND_IN, IMAGE = "localhost/gradetape-debian", "localhost/gradetape-stand-in", "localhost/gradetape-ci"
PACKAGES = ("podman", "runc", "mmdebstrap", "containernetworking-plugins", "catatonit")
_INSIDE = ("ca-certificates", "python3", "python3-pip")
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")
_NO_TRACES = 'rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/resolv.conf'
# For machines without systemd; podman's default limits need a capability that may be missing.
_SETTINGS = """[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
_BASE = f"""FROM {DEBIAN}
RUN PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install --no-cache-dir --root-user-action ignore \\
    --constraint /wheels/constraints.txt tensorflow
"""


class Skipped(Exception):
    """A tier cannot run here; the text is the reason."""


def run(*argv: str | Path, **how: object) -> None:
    """Runs a command to its end; raises CalledProcessError."""
    print("+", *argv, flush=True)
    subprocess.run([str(part) for part in argv], check=True, cwd=ROOT, **how)  # type: ignore[call-overload]


def install() -> None:
    """Installs podman and the tools for the stand-in if they are missing."""
    missing = [name for name in ("podman", "runc", "mmdebstrap") if shutil.which(name) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Skipped(f"{' and '.join(missing)} missing, and only root on Debian or Ubuntu could install it")
    run("apt-get", "update", "-qq")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES, env=quiet)


def debian() -> None:
    """Creates a Debian with Python from this machine's package sources, and removes their addresses from it."""
    if exists(DEBIAN):
        return
    file = CACHE / "debian.tar"
    run(
        "mmdebstrap", "--variant=minbase", f"--include={','.join(_INSIDE)}", f"--customize-hook={_NO_TRACES}",
        *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT), codename(), file, *sources(),
    )  # fmt: skip
    run("podman", "import", "--quiet", file, DEBIAN)
    file.unlink()


def codename() -> str:
    """The code name of this machine's release."""
    with open("/etc/os-release") as file:
        values = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    return values["VERSION_CODENAME"].strip('"')


def sources() -> list[Path]:
    """The file of this machine's package sources with the main component of its release."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    main = [file for file in files if file.suffix in (".list", ".sources") and is_main(file)]
    if not main:
        raise Skipped("no package sources were found in /etc/apt")
    return main[:1]


def is_main(file: Path) -> bool:
    """Whether a sources file has the release's main component, rather than other packages."""
    words = file.read_text(errors="replace").split() if file.is_file() else []
    return codename() in words and "main" in words


def wheels() -> None:
    """Downloads TensorFlow and the requirements of gradetape for the Python of the stand-in."""
    pins = ROOT / "constraints.txt"
    stamp, folder = CACHE / "wheels.stamp", CACHE / "wheels"
    version = output("podman", "run", "--rm", "--network", "none", DEBIAN, "python3", "--version").split()[1]
    wanted = [*requirements(), "tensorflow"]
    state = hashlib.sha256("\n".join([version, pins.read_text(), *wanted]).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == state:
        return
    shutil.rmtree(folder, ignore_errors=True)
    run(
        sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--constraint", pins,
        "--python-version", version, "--dest", folder, *wanted,
    )  # fmt: skip
    shutil.copy(pins, folder)
    (CACHE / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    stamp.write_text(state)


def volumes() -> list[str]:
    """The mounts during a build, which are never in the image."""
    return ["--volume", f"{CACHE}/pip.conf:/etc/pip.conf:ro", "--volume", f"{CACHE}/wheels:/wheels:ro"]


def works() -> None:
    """Raises Skipped if podman cannot run a container here."""
    tried = subprocess.run(
        ["podman", "run", "--rm", "--network", "none", DEBIAN, "true"], capture_output=True, text=True
    )  # fmt: skip
    if tried.returncode != 0:
        raise Skipped(f"podman cannot run a container here: {tried.stderr.strip()[-300:]}")


def stand_in() -> None:
    """Builds the stand-in for the published base: TensorFlow on that Debian."""
    folder = CACHE / "base"
    folder.mkdir(exist_ok=True)
    (folder / "Containerfile").write_text(_BASE)
    run("podman", "build", "--network", "none", *volumes(), "--tag", STAND_IN, folder)


def image() -> None:
    """Builds the image itself, as an instructor does."""
    run(gradetape(), "image", "build", "--engine", "podman", "--base", STAND_IN, "--tag", IMAGE, "--network", "none",
        *volumes())  # fmt: skip


def inside() -> None:
    """Tests the container from inside: its sandbox and limits, the examples, attacks, and a missing GPU."""
    run(
        sys.executable, "-m", "pytest", "-q", "-rs", "tests/container",
        env=os.environ | {"GRADETAPE_TEST_IMAGE": IMAGE, "GRADETAPE_TEST_ENGINE": "podman"},
    )  # fmt: skip


def docker() -> None:
    """Tests the same image with Docker."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
        raise Skipped(
            "no Docker daemon answers here; its command line is tested as text (tests/test_container_engine.py)"
        )
    with subprocess.Popen(["podman", "save", IMAGE], stdout=subprocess.PIPE) as saved:
        run("docker", "load", "--quiet", stdin=saved.stdout)
    run(
        sys.executable, "-m", "pytest", "-q", "-rs", "tests/container", "-k", "not example and not attack",
        env=os.environ | {"GRADETAPE_TEST_IMAGE": IMAGE, "GRADETAPE_TEST_ENGINE": "docker"},
    )  # fmt: skip


def gpu() -> None:
    """Skipped: needs a GPU that TensorFlow computes on."""
    raise Skipped("CI has no GPU, and its base is a stand-in without CUDA: make gpu-check, docs/gpu.md")


def exists(image: str) -> bool:
    """Whether podman has an image."""
    return subprocess.run(["podman", "image", "exists", image]).returncode == 0


def output(*argv: str) -> str:
    """The output of a command."""
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def gradetape() -> Path:
    """The gradetape command of this Python."""
    return Path(sys.executable).with_name("gradetape")


Tier = tuple[str, Sequence[Callable[[], None]]]
TIERS: tuple[Tier, ...] = (
    ("build", (install, debian, works, wheels, stand_in, image)),
    ("inside, with podman", (inside,)),
    ("inside, with Docker", (docker,)),
    ("on a GPU", (gpu,)),
)


def main(tiers: Sequence[Tier]) -> int:
    """Runs every tier that can run, and prints a line for each at the end."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and "CONTAINERS_CONF" not in os.environ:
        (CACHE / "containers.conf").write_text(_SETTINGS)
        os.environ["CONTAINERS_CONF"] = str(CACHE / "containers.conf")
    lines = [f"{name}: {tier(parts)}" for name, parts in tiers]
    print("\nTiers of the container:", *lines, sep="\n  ")
    return 1 if any(": FAILED" in line for line in lines) else 0


def tier(parts: Sequence[Callable[[], None]]) -> str:
    """Runs a tier and describes how it ended."""
    began = time.monotonic()
    try:
        for part in parts:
            part()
    except Skipped as reason:
        return f"skipped, {reason}"
    except (subprocess.CalledProcessError, OSError) as error:
        return f"FAILED, {error}"
    return f"ran, {time.monotonic() - began:.0f} s"


if __name__ == "__main__":
    sys.exit(main([each for each in TIERS if not sys.argv[1:] or each[0] in sys.argv[1:]]))
