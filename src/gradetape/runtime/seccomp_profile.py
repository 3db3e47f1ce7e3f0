"""The container's own system call filter, in the format of podman and Docker.

It allows what a worker may use, and what the zygote needs in addition: to listen on its Unix socket, to switch to
another uid, and to set up the sandbox that needs no namespaces. Every other call returns ENOSYS. Both engines get the
same filter, so that their defaults do not matter.
"""

from __future__ import annotations

import errno
from typing import Any

from gradetape.sandbox.seccomp import ALLOWED, CLONE_NEW

_LISTENING = "accept accept4 bind connect listen"
_PRIVILEGES = (
    "capset chown fchown fchownat lchown landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp "
    "setfsgid setfsuid setgid setgroups setregid setresgid setresuid setreuid setuid"
)
_PLACEMENT = "get_mempolicy mbind set_mempolicy"  # CUDA asks for memory placement
_STARTING = "fadvise64 flock openat2"  # the engine's runtime may use them before the zygote starts
_UNIX = 1


def profile() -> dict[str, Any]:
    """The filter; `--security-opt seccomp=FILE` takes it as JSON."""
    more = " ".join((_LISTENING, _PRIVILEGES, _PLACEMENT, _STARTING)).split()
    names = {*ALLOWED, *more} - {"clone"}
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.ENOSYS,
        "syscalls": [
            {"names": sorted(names), "action": "SCMP_ACT_ALLOW"},
            _allow_if("clone", {"index": 0, "value": CLONE_NEW, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}),
            _allow_if("socket", {"index": 0, "value": _UNIX, "op": "SCMP_CMP_EQ"}),
            _allow_if("ioctl"),
            # Docker before 23 ignores the default errno: its EPERM would keep glibc from falling back to clone.
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
        ],
    }


def _allow_if(name: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"names": [name], "action": "SCMP_ACT_ALLOW", "args": list(conditions)}
