"""The private root of a sandboxed worker: private folders, and read-only views of what Python and TensorFlow need."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gradetape.errors import SandboxError
from gradetape.records import Limits
from gradetape.sandbox import syscalls
from gradetape.sandbox.driver import DriverAccess
from gradetape.sandbox.syscalls import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REC, MS_REMOUNT

HOME = "/home"
# Links in /usr may lead through /etc/alternatives: commands, BLAS, and /usr/local/cuda of NVIDIA's packages.
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime",
    "/sys/devices/system/cpu",
)  # fmt: skip
PRIVATE = ("/tmp", HOME, "/dev/shm")
DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
_OWN_PART_OF_PROC = (
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems", "/proc/version", "/proc/loadavg",
    "/proc/uptime", "/proc/sys/kernel/osrelease", "/proc/sys/vm/overcommit_memory",
)  # fmt: skip
INODES = 20_000


def visible(packages: Sequence[str] | None = None) -> list[str]:
    """The paths that a worker sees read-only: the system's libraries, the interpreter, its packages, and CUDA.

    `packages` are the folders of packages, by default those of this process, with its `LD_LIBRARY_PATH`: a zygote has
    that only for an operator's CUDA.
    """
    found = [path for path in _SYSTEM if os.path.lexists(path)]
    if packages is None:
        packages = [*sys.path, *filter(os.path.isabs, os.environ.get("LD_LIBRARY_PATH", "").split(":"))]
    for path in (os.path.realpath(sys.base_prefix), sys.prefix, *packages):
        if os.path.isdir(path) and not any(_within(path, known) for known in found):
            found.append(os.path.abspath(path))
    return found


def readable(own_proc: bool, gpu: DriverAccess) -> list[str]:
    """The paths that code inside can read: everything visible, and the files of the private root.

    If /proc shows processes outside, only the worker's own part of it is readable, and that of its GPU's driver.
    """
    return [*visible(), *gpu.files, "/etc", *(("/proc",) if own_proc else part_of_proc(gpu))]


def part_of_proc(gpu: DriverAccess) -> tuple[str, ...]:
    """The part of /proc that shows no other process, with the files of the GPU's driver."""
    return (*_OWN_PART_OF_PROC, *gpu.part_of_proc)


def refuse_secrets(secret: tuple[str, ...], readable: Sequence[str] | None = None) -> None:
    """Raises SandboxError if one of these is inside a folder that workers can read, by default `visible()`."""
    paths = visible() if readable is None else readable
    for folder in secret:
        for path in paths:
            if _within(os.path.realpath(folder), os.path.realpath(path)):
                raise SandboxError(f"{folder} is inside {path}, which students' code can read. Move it out of {path}.")


def build(root: str, limits: Limits, uid: int, gpu: DriverAccess) -> bool:
    """Builds the root in the folder `root`: the private folders first, so that no bind mount is hidden under them.

    `uid` gets a user name; `gpu` is what it can reach of its GPU's driver. Returns False if /proc shows processes
    outside: where a container masks parts of /proc, the kernel refuses a new one.
    """
    os.umask(0o022)
    syscalls.mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=755")
    private = f"size={limits.disk_mb}m,nr_inodes={INODES},mode=1777"
    for folder in ("/dev", *PRIVATE, "/proc", "/etc", "/old"):
        os.mkdir(root + folder)
    for folder in PRIVATE:
        syscalls.mount("tmpfs", root + folder, "tmpfs", MS_NOSUID | MS_NODEV, private)
    for path in (*visible(), *gpu.files):
        _show(root, path)
    for device in (*DEVICES, *gpu.nodes):
        os.makedirs(os.path.dirname(root + device), exist_ok=True)
        _bind(device, root + device)
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
    _name(root, uid)
    return _proc(root)


def enter(root: str) -> None:
    """Makes `root` the root, read-only except for its private folders, and detaches the old root."""
    os.chdir(root)
    syscalls.pivot_root(".", "old")
    syscalls.unmount("/old")
    os.rmdir("/old")
    os.chdir("/")
    syscalls.mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _show(root: str, path: str) -> None:
    if os.path.islink(path):
        os.symlink(os.readlink(path), root + path)
        return
    if os.path.isdir(path):
        os.makedirs(root + path, exist_ok=True)
        syscalls.mount(path, root + path, None, MS_BIND | MS_REC)
    else:
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        _bind(path, root + path)
    syscalls.make_read_only(root + path)


def _bind(source: str, target: str) -> None:
    with open(target, "w"):
        pass
    syscalls.mount(source, target, None, MS_BIND)


def _name(root: str, uid: int) -> None:
    """Names the uid inside: libraries ask `getpwuid` for a home folder."""
    with open(f"{root}/etc/passwd", "w") as file:
        file.write(f"student:x:{uid}:{uid}::{HOME}:/bin/false\n")


def _proc(root: str) -> bool:
    try:
        syscalls.mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        return True
    except PermissionError:
        syscalls.mount("/proc", f"{root}/proc", None, MS_BIND | MS_REC)
        return False
