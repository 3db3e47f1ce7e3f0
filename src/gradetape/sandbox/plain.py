"""Walls without namespaces, as inside a container whose engine refuses them.

Landlock holds files (and what it can of sockets and signals), the filter of system calls holds the network, and a uid
of its own holds each worker apart from the grader and from other workers. An ordinary user has no other uid to give:
there Landlock must keep signals in, which it does from its version 6. The private folder is one in the grader's folder
for temporary files; in a container the engine bounds its size.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from typing import NoReturn

from gradetape.errors import SandboxError
from gradetape.sandbox import landlock, privileges, root, tree
from gradetape.sandbox.base import Policy, Reports, wall
from gradetape.sandbox.limits import restrict
from gradetape.sandbox.seccomp import load
from gradetape.sandbox.selftest import Tried, prove

_ETC = ("/etc/passwd", "/etc/nsswitch.conf", "/etc/mime.types")
_NICE = 10  # what ends a worker shares a container's processors with it, and must get its turn among a fork bomb
_LANDLOCK_ADVICE = "It needs Linux 5.13 or later with landlock among the kernel's modules (lsm=…,landlock)."


class PlainSandbox:
    """Landlock, a uid without privileges, a filter of system calls, and a tree that can be killed."""

    def __init__(self, policy: Policy, each_limited: bool) -> None:
        self._policy = policy
        self._each_limited = each_limited
        self._as_root = os.geteuid() == 0

    def check(self) -> None:
        """Raises WallsError where what is secret would be visible."""
        root.refuse_secrets(self._policy.secret)

    def enter(self, uid: int, work: Callable[[], None], reports: Reports, keep: int) -> NoReturn:
        """A: keeps the worker, a child."""
        tree.begin(reports)
        folder = os.path.join(tempfile.gettempdir(), f"gradetape-worker-{secrets.token_hex(8)}")
        worker = os.fork()
        if worker == 0:
            tree.leave()
            layers = self._wall_in(uid if self._as_root else None, folder)
            reports.ready(layers)
            work()
            os._exit(0)
        os.close(keep)
        tree.keep(worker, folder, reports)

    def _wall_in(self, uid: int | None, folder: str) -> tuple[str, ...]:
        """C: no privileges, then nothing but its own folder; the layers."""
        restrict(self._policy.limits, own_memory=not self._each_limited, own_processes=uid is not None)
        os.nice(_NICE)
        privileges.give_up(uid)
        _refuse_private_python()
        os.mkdir(folder, 0o700)
        os.chdir(folder)
        tempfile.tempdir = None
        os.environ.update(HOME=folder, TMPDIR=folder)
        files = self._landlock(uid, folder)
        load(self._policy.filter)
        prove(Tried((*self._policy.secret, self._policy.socket), gone=False, landlocked=True, parent=True))
        return ("plain", *(("uid",) if uid else ()), "no_new_privs", "rlimits", *files, "seccomp")

    def _landlock(self, uid: int | None, folder: str) -> tuple[str, ...]:
        readable = (*root.visible(), *_ETC, *root.OWN_PART_OF_PROC)
        with wall("wall around files without namespaces (Landlock)", _LANDLOCK_ADVICE):
            files = landlock.restrict(readable, (folder,), root.devices(self._policy.gpu))
        if not files:
            raise SandboxError(f"no wall around files: this kernel has no Landlock. {_LANDLOCK_ADVICE}")
        if uid is None and "landlock scopes" not in files:
            raise SandboxError(
                "no wall between processes of one user: Landlock keeps signals in from its version 6 (Linux 6.12). "
                "Grade as root, or use --isolation container."
            )
        return files


def _refuse_private_python() -> None:
    for folder in root.visible():
        try:
            os.stat(folder)
        except PermissionError:
            raise SandboxError(
                f"{folder} lies below a private folder: a worker with a uid of its own cannot read it. Install Python "
                "and gradetape where every user can read them, or use --isolation container."
            ) from None
