"""The process tree of a worker without a pid namespace: every process that a worker starts stays below one keeper.

The keeper is the worker's parent and adopts every descendant whose parent ends, so that a daemon cannot leave the tree.
SIGTERM ends the tree; the kernel also sends it when the zygote ends.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from gradetape.sandbox import syscalls
from gradetape.sandbox.base import Reports, required
from gradetape.sandbox.quota import DiskQuota

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def begin(reports: Reports) -> None:
    """Makes this process the keeper."""
    os.setsid()
    with required("kill that reaches every process of a worker", "It needs Linux 3.4 or later."):
        syscalls.adopt_orphans()
    signal.signal(signal.SIGTERM, _end_all)
    syscalls.die_with_parent(signal.SIGTERM)
    reports.init(os.getpid(), signal.SIGTERM)


def leave() -> None:
    """In the worker: ends it with its keeper, and lets SIGTERM end it as usual."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    syscalls.die_with_parent()


def keep(worker: int, folder: str, reports: Reports, quota: DiskQuota | None = None) -> NoReturn:
    """Waits for the worker, ends the processes it left, removes its folder, reports how it ended, and ends.

    With a quota, it also ends a worker that exceeds it.
    """
    pid, filled = 0, False
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    while pid != worker:
        pid, status, used = os.wait4(-1, os.WNOHANG if quota else 0)
        if quota and not pid:
            if filled or quota.exceeded(descendants(os.getpid())):
                filled = True
                _end_all()
            signal.sigtimedwait([signal.SIGCHLD], quota.pause_s)
    try:
        while _some_live():
            _end_all()
            time.sleep(0.001)
    finally:
        _remove(folder)
    reports.ended(status, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10, filled=filled)
    os._exit(0)


def descendants(pid: int) -> Iterator[int]:
    """A process's children, and theirs."""
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has just ended
            for child in map(int, file.read_text().split()):
                yield child
                yield from descendants(child)


def cpu_s(pid: int) -> float:
    """The CPU seconds of a process, of all below it, and of those that they have waited for."""
    return sum(_own_cpu_s(each) for each in (pid, *descendants(pid)))


def _own_cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / _TICKS


def _end_all(*_: Any) -> None:
    with required("kill that reaches every process of a worker", "A container needs the capability KILL for it."):
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _some_live() -> bool:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False


def _remove(folder: str) -> None:
    """Removes the worker's folder as its owner: root without DAC_OVERRIDE could not.

    SIGTERM waits: it would end the process that removes.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    owner = os.stat(folder, follow_symlinks=False).st_uid if os.path.lexists(folder) else os.getuid()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            os.setresuid(owner, owner, owner)
            _clear(folder)
            os.rmdir(folder)
        os._exit(0)
    os.waitpid(pid, 0)


def _clear(folder: str) -> None:
    """Empties a folder, however deep it is: what a folder in it holds is moved up, so that no path gets long.

    No process is left that could put a link in the place of a folder.
    """
    os.chmod(folder, 0o700)
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in list(os.scandir(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner.path, 0o700)  # a folder that is moved is written to
                os.rename(inner.path, f"{folder}/{secrets.token_hex(16)}")
            os.rmdir(entry.path)
