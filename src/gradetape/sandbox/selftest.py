"""The self-test of a sandbox, run inside before any of the student's code: every attempt has to be refused.

The system calls get arguments with which they do no harm where a layer is missing; but then they succeed, or fail for
another reason than being refused, and that counts as a leak.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import resource
import socket
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from gradetape.errors import SandboxError
from gradetape.sandbox import syscalls
from gradetape.sandbox.base import ELSEWHERE

_REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
_NOT_THERE = (errno.ENOENT, errno.EROFS, errno.ENXIO)
_FAMILIES = {"inet": 2, "inet6": 10, "unix": 1, "netlink": 16, "packet": 17, "alg": 38, "vsock": 40}
_TIOCSTI = 0x5412
_MADV_PAGEOUT = 21
_F_NOTIFY, _F_OFD_SETLK = 1026, 37


class Tried(NamedTuple):
    """What to try: `hidden` paths, which must not exist if `gone`, a signal to the parent if `parent`, and changing the
    mode of a file if `fixed`."""

    hidden: tuple[str, ...]
    gone: bool
    landlocked: bool
    parent: bool
    fixed: bool = False


def prove(tried: Tried) -> None:
    """Raises SandboxError, which names the layer and the attempt that succeeded."""
    for layer, what, attempt in (*_files(tried), *_calls(), *_sockets(), *_signals(tried)):
        if not _fails(attempt):
            raise SandboxError(
                f"the sandbox is set up, but {what} is possible inside: {layer} does not hold. {ELSEWHERE}"
            )
    _refuse_privileges()


def _fails(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError as error:
        return error.errno in _REFUSED
    return False


Attempt = tuple[str, str, Callable[[], object]]


def _files(tried: Tried) -> Iterator[Attempt]:
    look = os.lstat if tried.gone else _open
    for path in tried.hidden:
        yield "the isolation of files", f"reading {path}", partial(_path, look, path)
    for folder in ("/", "/usr", "/proc/sys/kernel"):
        yield "the isolation of files", f"writing to {folder}", partial(_path, _create, folder)
    if tried.landlocked:
        yield "Landlock", "listing the root folder", partial(os.listdir, "/")


def _calls() -> Iterator[Attempt]:
    for name, number in syscalls.DANGEROUS.get(os.uname().machine, {}).items():
        yield "the system call filter", name, partial(syscalls.syscall, name, number, 0, 0, 0, 0, 0)
    yield "the system call filter", "a new namespace", partial(syscalls.unshare, syscalls.NEWUSER)
    parent, core = os.getppid(), (resource.RLIMIT_CORE, (0, 0))
    yield "the system call filter", "a limit on the parent", partial(resource.prlimit, parent, *core)
    yield "the system call filter", "a core dump", partial(resource.setrlimit, *core)
    for number in (_TIOCSTI, _TIOCSTI | 1 << 32):  # the kernel reads only the lower half
        yield "the system call filter", "TIOCSTI", partial(syscalls.ioctl, 0, number)
    for what, attempt in _SHARED.items():
        yield "the system call filter", what, attempt


def _sockets() -> Iterator[Attempt]:
    for name, family in _FAMILIES.items():
        yield "the isolation of the network", f"a socket ({name})", partial(_socket, family)
    yield "the isolation of the network", "a connection", _connect


def _signals(tried: Tried) -> Iterator[Attempt]:
    if tried.fixed:
        yield "the system call filter", "changing a file's mode", _change_mode
    if tried.parent:
        yield "the isolation of processes", "a signal to the parent", partial(os.kill, os.getppid(), 0)


def _path(attempt: Callable[[str], object], path: str) -> None:
    """Tries a path; a path that does not exist counts as refused."""
    try:
        attempt(path)
    except OSError as error:
        raise PermissionError(errno.EACCES, path) if error.errno in _NOT_THERE else error from None


def _open(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def _create(folder: str) -> None:
    path = f"{folder}/gradetape-probe"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    os.unlink(path)


def _socket(family: int) -> None:
    socket.socket(family, socket.SOCK_DGRAM if family != socket.AF_UNIX else socket.SOCK_STREAM).close()


def _connect() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.connect("/nowhere")


def _page_out() -> None:
    with mmap.mmap(-1, mmap.PAGESIZE) as area:
        area.madvise(_MADV_PAGEOUT)


def _watch() -> None:
    folder = os.open(os.curdir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.fcntl(folder, _F_NOTIFY, 0)
    finally:
        os.close(folder)


def _lock_twice(lock: Callable[[int], object]) -> None:
    """Two locks that exclude each other: both are granted if locks have no effect, which counts as refused."""
    one, other = os.open("/dev/null", os.O_RDWR), os.open("/dev/null", os.O_RDWR)
    try:
        lock(one)
        lock(other)
    finally:
        os.close(one)
        os.close(other)
    raise PermissionError(errno.EPERM, "a lock without effect")


def _lock_file(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_range(descriptor: int) -> None:
    fcntl.fcntl(descriptor, _F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))


def _change_mode() -> None:
    descriptor = os.memfd_create("gradetape-probe")
    try:
        os.fchmod(descriptor, 0o400)
    finally:
        os.close(descriptor)


# What one worker could use to leave something for another, or to find it.
_SHARED: dict[str, Callable[[], object]] = {
    "reading only what is cached": partial(syscalls.read_cached, 0),
    "discarding memory": _page_out,
    "watching a folder": _watch,
    "locking a file": partial(_lock_twice, _lock_file),
    "locking a range of a file": partial(_lock_twice, _lock_range),
}


def _refuse_privileges() -> None:
    with open("/proc/self/status") as file:
        status = dict(line.split(":\t", 1) for line in file)
    if any(int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")):
        raise SandboxError(f"the sandbox is set up, but code inside has capabilities. {ELSEWHERE}")
    if int(status["NoNewPrivs"]) != 1:
        raise SandboxError(
            f"the sandbox is set up, but code inside can gain privileges: no_new_privs does not hold. {ELSEWHERE}"
        )
    if resource.getrlimit(resource.RLIMIT_CORE)[1] not in (0, 1):  # without a limit it is -1
        raise SandboxError(f"the sandbox is set up, but the resource limits are not in force. {ELSEWHERE}")
