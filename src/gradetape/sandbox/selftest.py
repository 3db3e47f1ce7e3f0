"""The walls are tried from inside before any of the student's code is accepted: every one of these attempts must fail.

The system calls are made in ways that would fail anyhow, so that nothing happens where a wall is missing; but then they
fail for another reason than being refused, and that counts as a hole.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
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


class Tried(NamedTuple):
    """What is tried: the paths that must be closed, and gone where `gone`; the parent, if it may be in reach at all."""

    hidden: tuple[str, ...]
    gone: bool
    landlocked: bool
    parent: bool


def prove(tried: Tried) -> None:
    """Raises WallsError, which names the wall and what gets through it."""
    for layer, what, attempt in (*_files(tried), *_calls(), *_sockets(), *_signals(tried)):
        if not _fails(attempt):
            raise SandboxError(f"the walls stand, but {what} can be had inside: {layer} does not hold. {ELSEWHERE}")
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
        yield "the wall around files", path, partial(_path, look, path)
    for folder in ("/", "/usr", "/proc/sys/kernel"):
        yield "the wall around files", f"writing to {folder}", partial(_path, _create, folder)
    if tried.landlocked:
        yield "Landlock", "the root folder's list", partial(os.listdir, "/")


def _calls() -> Iterator[Attempt]:
    for name, number in syscalls.DANGEROUS.get(os.uname().machine, {}).items():
        yield "the filter of system calls", name, partial(syscalls.syscall, name, number, 0, 0, 0, 0, 0)
    yield "the filter of system calls", "a new namespace", partial(syscalls.unshare, syscalls.NEWUSER)
    parent, core = os.getppid(), (resource.RLIMIT_CORE, (0, 0))
    yield "the filter of system calls", "a limit on the parent", partial(resource.prlimit, parent, *core)
    yield "the filter of system calls", "a core dump", partial(resource.setrlimit, *core)
    for number in (_TIOCSTI, _TIOCSTI | 1 << 32):  # the kernel looks at the lower half alone
        yield "the filter of system calls", "TIOCSTI", partial(syscalls.ioctl, 0, number)


def _sockets() -> Iterator[Attempt]:
    for name, family in _FAMILIES.items():
        yield "the wall around the network", f"a socket ({name})", partial(_socket, family)
    yield "the wall around the network", "a connection", _connect


def _signals(tried: Tried) -> Iterator[Attempt]:
    if tried.parent:
        yield "the wall between processes", "a signal to the parent", partial(os.kill, os.getppid(), 0)


def _path(attempt: Callable[[str], object], path: str) -> None:
    """Tries a path; one that is not there is as good as refused."""
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


def _refuse_privileges() -> None:
    with open("/proc/self/status") as file:
        status = dict(line.split(":\t", 1) for line in file)
    if any(int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")):
        raise SandboxError(f"the walls stand, but capabilities can be had inside. {ELSEWHERE}")
    if int(status["NoNewPrivs"]) != 1:
        raise SandboxError(
            f"the walls stand, but new privileges can be had inside: no_new_privs does not hold. {ELSEWHERE}"
        )
    if resource.getrlimit(resource.RLIMIT_CORE)[1] not in (0, 1):  # without a limit it is -1
        raise SandboxError(f"the walls stand, but the resource limits are not in force. {ELSEWHERE}")
