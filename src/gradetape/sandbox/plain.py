"""The sandbox without namespaces, as inside a container whose engine refuses them.

Landlock isolates files (and sockets and signals as far as its version supports), the system call filter isolates the
network, and a uid of its own isolates each worker from the grader and from other workers. An ordinary user cannot
assign another uid: there Landlock has to isolate signals, which it does from version 6. The worker's private folder is
in the grader's folder for temporary files. A container's engine may limit its size; everywhere the keeper measures it,
and ends a worker that writes too much (`quota.py`).
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from typing import NoReturn

from gradetape.errors import SandboxError
from gradetape.sandbox import landlock, privileges, root, tree
from gradetape.sandbox.base import Policy, Reports, required
from gradetape.sandbox.driver import DriverAccess
from gradetape.sandbox.limits import restrict
from gradetape.sandbox.quota import DiskQuota
from gradetape.sandbox.seccomp import load
from gradetape.sandbox.selftest import Tried, prove

_ETC = ("/etc/passwd", "/etc/nsswitch.conf", "/etc/mime.types")
_NICE = 10  # the keeper shares a container's processors with the worker, and has to end a fork bomb
_LANDLOCK_ADVICE = "It needs Linux 5.13 or later with landlock among the kernel's modules (lsm=…,landlock)."


class PlainSandbox:
    """Landlock, a uid without privileges, a system call filter, and a process tree that can be killed."""

    def __init__(self, policy: Policy, each_limited: bool) -> None:
        self._policy = policy
        self._each_limited = each_limited
        self._as_root = os.geteuid() == 0

    def check(self) -> None:
        """Raises SandboxError if a hidden folder would be visible inside."""
        root.refuse_secrets(self._policy.secret)

    def enter(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        """A: the keeper of the worker, its child."""
        tree.begin(reports)
        folder = os.path.join(tempfile.gettempdir(), f"gradetape-worker-{secrets.token_hex(8)}")
        worker = os.fork()
        if worker == 0:
            tree.leave()
            reports.memory()
            layers = self._confine(uid if self._as_root else None, folder, gpu)
            reports.ready(layers)
            work()
            os._exit(0)
        os.close(keep)
        tree.keep(worker, folder, reports, DiskQuota(folder, self._policy.limits, uid if self._as_root else None))

    def _confine(self, uid: int | None, folder: str, gpu: DriverAccess) -> tuple[str, ...]:
        """C: drops all privileges, then all folders but its own; returns the layers."""
        restrict(self._policy.limits, own_memory=not self._each_limited, own_processes=uid is not None)
        os.nice(_NICE)
        privileges.give_up(uid)
        _refuse_private_python()
        os.mkdir(folder, 0o700)
        os.chdir(folder)
        tempfile.tempdir = None
        os.environ.update(HOME=folder, TMPDIR=folder)
        files = self._landlock(uid, folder, gpu)
        if uid is None:
            load(self._policy.fixed)
        load(self._policy.filter)
        hidden = (*self._policy.secret, self._policy.socket)
        prove(Tried(hidden, gone=False, landlocked=True, parent=True, fixed=uid is None))
        return ("plain", *(("uid",) if uid else ()), "no_new_privs", "rlimits", *files, "seccomp")

    def _landlock(self, uid: int | None, folder: str, gpu: DriverAccess) -> tuple[str, ...]:
        readable = (*root.visible(), *gpu.files, *_ETC, *root.part_of_proc(gpu))
        with required("isolation of files without namespaces (Landlock)", _LANDLOCK_ADVICE):
            files = landlock.restrict(readable, (folder,), (*root.DEVICES, *gpu.nodes), gpu.threads)
        if not files:
            raise SandboxError(f"no isolation of files: this kernel has no Landlock. {_LANDLOCK_ADVICE}")
        if uid is None and "landlock scopes" not in files:
            raise SandboxError(
                "no isolation between processes of one user: Landlock isolates signals from version 6 (Linux 6.12). "
                "Grade as root, or use --isolation container."
            )
        return files


def _refuse_private_python() -> None:
    for folder in root.visible():
        try:
            os.stat(folder)
        except PermissionError:
            raise SandboxError(
                f"{folder} is below a private folder: a worker with its own uid cannot read it. Install Python "
                "and gradetape where every user can read them, or use --isolation container."
            ) from None
