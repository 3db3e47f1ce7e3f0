"""The container's own filter of system calls, in the form that podman and Docker read.

It is what a worker may use, and what its supervisor needs beyond that: to listen on its Unix socket, to become another
uid, and to build the walls that need no namespaces. All else answers ENOSYS. Both engines get the same filter, so that
neither's defaults decide.
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
_PLACEMENT = "get_mempolicy mbind set_mempolicy"  # CUDA asks where memory lies
_UNIX = 1


def profile() -> dict[str, Any]:
    """The filter; its JSON is what `--security-opt seccomp=FILE` takes."""
    names = {*ALLOWED, *_LISTENING.split(), *_PRIVILEGES.split(), *_PLACEMENT.split()} - {"clone"}
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.ENOSYS,
        "syscalls": [
            {"names": sorted(names), "action": "SCMP_ACT_ALLOW"},
            _allow_if("clone", {"index": 0, "value": CLONE_NEW, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}),
            _allow_if("socket", {"index": 0, "value": _UNIX, "op": "SCMP_CMP_EQ"}),
            _allow_if("ioctl"),
            # Docker before 23 knows no default number: its EPERM would keep glibc from falling back to clone.
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
        ],
    }


def _allow_if(name: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"names": [name], "action": "SCMP_ACT_ALLOW", "args": list(conditions)}
