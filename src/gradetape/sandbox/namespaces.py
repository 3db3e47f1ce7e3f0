"""The sandbox made of Linux namespaces, as root or as an ordinary user; see the package's theory of operation."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from typing import NoReturn

from gradetape.errors import SandboxError
from gradetape.sandbox import landlock, privileges, root, syscalls
from gradetape.sandbox.base import ELSEWHERE, Policy, Reports, SandboxUnavailable, required
from gradetape.sandbox.driver import DriverAccess
from gradetape.sandbox.limits import restrict
from gradetape.sandbox.seccomp import load
from gradetape.sandbox.selftest import Tried, prove

_SPACES = {
    "mount": syscalls.NEWNS, "pid": syscalls.NEWPID, "network": syscalls.NEWNET, "ipc": syscalls.NEWIPC,
    "uts": syscalls.NEWUTS, "cgroup": syscalls.NEWCGROUP,
}  # fmt: skip
_ADVICE = (
    "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or "
    "kernel.apparmor_restrict_unprivileged_userns=0), grade as root, or use --isolation container."
)


class NamespaceSandbox:
    """A private root, a private process tree, no network, and a uid without privileges."""

    def __init__(self, policy: Policy, each_limited: bool) -> None:
        self._policy = policy
        self._each_limited = each_limited
        self._as_root = os.geteuid() == 0
        self._root = os.path.join(os.path.dirname(policy.socket), "root")
        self._own_proc = True

    def check(self) -> None:
        """Raises SandboxError if a hidden folder would be visible inside."""
        root.refuse_secrets(self._policy.secret)
        os.makedirs(self._root, exist_ok=True)

    def enter(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        """A: enters new namespaces, then waits for B, the init process."""
        os.setsid()
        syscalls.die_with_parent()
        self._unshare()
        uid = uid if self._as_root else os.getuid()
        init = os.fork()
        if init == 0:
            self._init(uid, gpu, work, reports, keep)
        os.close(keep)
        reports.init(init)
        os.waitpid(init, 0)
        os._exit(0)

    def _unshare(self) -> None:
        uid, gid = os.getuid(), os.getgid()
        if not self._as_root:
            with required("user namespaces", _ADVICE, SandboxUnavailable):
                syscalls.unshare(syscalls.NEWUSER)
                for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
                    with open(f"/proc/self/{name}", "w") as file:
                        file.write(text)
        try:
            syscalls.unshare(sum(_SPACES.values()))
        except OSError:
            self._name_missing()
            raise

    def _name_missing(self) -> None:
        """Enters the namespaces one by one; raises SandboxUnavailable with the name of the first that fails."""
        for name, flag in _SPACES.items():
            with required(f"{name} namespace", _ADVICE, SandboxUnavailable):
                syscalls.unshare(flag)

    def _init(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        """B: builds the private root, starts C, reaps processes, and ends with C."""
        syscalls.die_with_parent()
        with required("private root (mount namespace)", _ADVICE, SandboxUnavailable):
            syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
            self._own_proc = root.build(self._root, self._policy.limits, uid, gpu)
            root.enter(self._root)
        syscalls.set_dumpable(False)  # else code with the same uid could open this process's descriptors
        worker = os.fork()
        if worker == 0:
            self._worker(uid, gpu, work, reports)
        os.close(keep)
        while True:
            pid, status, used = os.wait4(-1, 0)
            if pid == worker:
                reports.ended(status, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10)
                os._exit(0)

    def _worker(self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports) -> NoReturn:
        """C: drops all privileges, then runs the student's code."""
        syscalls.die_with_parent()
        syscalls.set_dumpable(True)
        reports.memory()
        os.chdir(root.HOME)
        restrict(self._policy.limits, own_memory=not self._each_limited)
        privileges.give_up(uid if self._as_root else None)
        tempfile.tempdir = None
        os.environ.update(HOME=root.HOME, TMPDIR="/tmp")
        if _reaches_the_network():
            raise SandboxError(
                "the sandbox is set up, but the network can be reached inside: its namespace does not hold. "
                f"{ELSEWHERE}"
            )
        readable = root.readable(self._own_proc, gpu)
        files = landlock.restrict(readable, root.PRIVATE, (*root.DEVICES, *gpu.nodes), gpu.threads)
        load(self._policy.filter)
        self._prove(files)
        reports.ready((*_SPACES, "uid" if self._as_root else "user", "no_new_privs", "rlimits", *files, "seccomp"))
        work()
        os._exit(0)

    def _prove(self, files: tuple[str, ...]) -> None:
        if not self._own_proc and not files:
            raise SandboxError(
                "no isolation of /proc, which shows processes outside: it needs Landlock (Linux 5.13), or a container "
                "that does not mask /proc (--security-opt unmask=ALL)."
            )
        if self._own_proc and os.readlink("/proc/self") != str(os.getpid()):
            raise SandboxError(
                "the sandbox is set up, but /proc shows processes outside. Grade as root, or in a container."
            )
        # A parent with the same uid is pid 1 here, which no signal from inside can end: no layer is needed for it.
        parent = self._as_root or "landlock scopes" in files
        hidden = (*self._policy.secret, self._policy.socket)
        prove(Tried(hidden, gone=True, landlocked=bool(files), parent=parent))


def _reaches_the_network() -> bool:
    """Whether any route exists; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True
