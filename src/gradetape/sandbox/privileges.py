"""A worker gives up what it could do as root, for good."""

from __future__ import annotations

import contextlib
import os

from gradetape.sandbox import syscalls
from gradetape.sandbox.base import wall


def give_up(uid: int | None) -> None:
    """No capabilities, no way to new ones, and a uid of its own; None keeps the grader's uid, an ordinary user's.

    Raises WallsError where one of these cannot be had.
    """
    with contextlib.suppress(PermissionError):  # a container may hold it back; without new privileges it is of no use
        syscalls.empty_bounding_set()
    if uid is not None:
        with wall("uid of its own for a worker", "Give the container SETUID and SETGID, or grade as an ordinary user."):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        syscalls.die_with_parent()  # setresuid cleared it
    with wall("way to drop capabilities", "Grade on another machine, or use --isolation container."):
        syscalls.drop_capabilities()
    with wall(
        "bar to new privileges (no_new_privs)",
        "It needs Linux 3.5 or later, and a container that does not refuse prctl.",
    ):
        syscalls.no_new_privileges()
