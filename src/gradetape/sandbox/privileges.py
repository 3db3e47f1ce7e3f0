"""Drops the privileges of a worker permanently."""

from __future__ import annotations

import contextlib
import os

from gradetape.sandbox import syscalls
from gradetape.sandbox.base import required


def give_up(uid: int | None) -> None:
    """Drops all capabilities and the ways to new ones, and switches to `uid`; None keeps the uid of an ordinary user.

    Raises SandboxError if one of these fails.
    """
    with contextlib.suppress(PermissionError):  # a container may refuse it; without new privileges the set has no use
        syscalls.empty_bounding_set()
    if uid is not None:
        with required(
            "uid of its own for a worker", "Give the container SETUID and SETGID, or grade as an ordinary user."
        ):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        syscalls.die_with_parent()  # setresuid cleared it
    with required("way to drop capabilities", "Grade on another machine, or use --isolation container."):
        syscalls.drop_capabilities()
    with required(
        "bar to new privileges (no_new_privs)",
        "It needs Linux 3.5 or later, and a container that does not refuse prctl.",
    ):
        syscalls.no_new_privileges()
