"""Linux system calls that Python lacks; each raises OSError with the name of the call."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import sys

NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
MNT_DETACH = 2

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_PREADV2 = {"x86_64": 327, "aarch64": 286}
# Calls that no worker may make. The self-test makes them with empty arguments.
DANGEROUS = {
    "x86_64": {
        "ptrace": 101, "mount": 165, "setns": 308, "bpf": 321, "keyctl": 250, "io_uring_setup": 425,
        "process_vm_readv": 310, "perf_event_open": 298, "userfaultfd": 323, "chroot": 161, "clone3": 435,
        "inotify_init1": 294, "fanotify_init": 300, "name_to_handle_at": 303, "fadvise64": 221, "readahead": 187,
        "mincore": 27, "cachestat": 451, "process_madvise": 440, "openat2": 437,
    },
    "aarch64": {
        "ptrace": 117, "mount": 40, "setns": 268, "bpf": 280, "keyctl": 219, "io_uring_setup": 425,
        "process_vm_readv": 270, "perf_event_open": 241, "userfaultfd": 282, "chroot": 51, "clone3": 435,
        "inotify_init1": 26, "fanotify_init": 262, "name_to_handle_at": 264, "fadvise64": 223, "readahead": 213,
        "mincore": 232, "cachestat": 451, "process_madvise": 440, "openat2": 437,
    },
}  # fmt: skip
_MOUNT_SETATTR, _CLOSE_RANGE = 442, 436
_DAC_OVERRIDE = 1
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 4, 24, 38, 47
_PR_SET_SECCOMP, _FILTER, _PR_SET_CHILD_SUBREAPER = 22, 2, 36
_MADV_COLLAPSE = 25
_CAPABILITY_VERSION_3, _LAST_CAPABILITY = 0x20080522, 63

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _call(what: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(what: str, number: int, *args: object) -> int:
    """Makes a system call by its number; `what` names it in the error."""
    assert _libc is not None
    return _call(what, _libc.syscall(number, *args))


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def unshare(flags: int) -> None:
    """Leaves the parent's namespaces for new ones."""
    assert _libc is not None
    _call(f"unshare({flags:#x})", _libc.unshare(flags))


def collapse(address: int, size: int) -> None:
    """Puts the pages of a region of this process's memory into huge pages."""
    assert _libc is not None
    _call("madvise", _libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(size), _MADV_COLLAPSE))


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """Mounts `source` at `target`."""
    assert _libc is not None
    result = _libc.mount(_bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags), _bytes(options))
    _call(f"mount {source} on {target}", result)


def make_read_only(target: str) -> None:
    """Makes a mount and all below it read-only, without set-user-id programs and devices."""
    attributes = struct.pack("QQQQ", MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    syscall(
        f"mount_setattr {target}", _MOUNT_SETATTR, _AT_FDCWD, _bytes(target), _AT_RECURSIVE,
        ctypes.create_string_buffer(attributes), len(attributes),
    )  # fmt: skip


def pivot_root(new: str, old: str) -> None:
    """Makes `new` the root, and puts the old one at `old`."""
    syscall("pivot_root", _PIVOT_ROOT[os.uname().machine], _bytes(new), _bytes(old))


def unmount(target: str) -> None:
    """Detaches a mount and all below it."""
    assert _libc is not None
    _call(f"umount {target}", _libc.umount2(_bytes(target), MNT_DETACH))


def close_from(low: int, high: int = 0xFFFFFFFF) -> None:
    """Closes every descriptor from `low` to `high`, if there are any."""
    if low <= high:
        syscall("close_range", _CLOSE_RANGE, ctypes.c_uint(low), ctypes.c_uint(high), 0)


def _prctl(what: str, *args: int) -> int:
    assert _libc is not None
    filled = (*args, *([0] * (5 - len(args))))
    return _call(what, _libc.prctl(filled[0], *(ctypes.c_ulong(arg) for arg in filled[1:])))


def die_with_parent(number: int = 9) -> None:
    """Sends this process a signal when its parent ends: SIGKILL by default."""
    _prctl("set the parent's death signal", _PR_SET_PDEATHSIG, number)


def adopt_orphans() -> None:
    """Makes this process the parent of descendants whose own parent ends (a child subreaper)."""
    _prctl("adopt orphans", _PR_SET_CHILD_SUBREAPER, 1)


def ioctl(descriptor: int, number: int) -> None:
    """An ioctl with a number of any size, which `fcntl.ioctl` would truncate."""
    assert _libc is not None
    _call(f"ioctl {number:#x}", _libc.ioctl(descriptor, ctypes.c_ulong(number), ctypes.create_string_buffer(b"x")))


def read_cached(descriptor: int) -> None:
    """Reads nothing, and only if it is in memory (RWF_NOWAIT); the C library would hide that the call is refused."""
    syscall("preadv2", _PREADV2[os.uname().machine], descriptor, None, 0, ctypes.c_long(0), ctypes.c_long(0), 8)


def set_dumpable(allowed: bool) -> None:
    """Allows or forbids core dumps, and tracing by processes of the same uid; a fork inherits the setting."""
    _prctl("set dumpable", _PR_SET_DUMPABLE, int(allowed))


def no_new_privileges() -> None:
    """Keeps every program started from here from gaining privileges."""
    _prctl("set no_new_privs", _PR_SET_NO_NEW_PRIVS, 1)


def empty_bounding_set() -> None:
    """Keeps every program started from here from having capabilities; call it while this process has them."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            _prctl("drop a capability", _PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:  # this kernel has no more capabilities
                return
            raise


def load_filter(program: bytes) -> None:
    """Allows only the system calls that a BPF program permits, here and in every child. Requires no_new_privs."""
    instructions = ctypes.create_string_buffer(program, len(program))
    described = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(instructions)))
    _prctl("load a system call filter", _PR_SET_SECCOMP, _FILTER, ctypes.addressof(described))


def drop_capabilities() -> None:
    """Drops every capability permanently: ambient, permitted, effective and inheritable."""
    _prctl("clear ambient capabilities", _PR_CAP_AMBIENT, 4)
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0))
    syscall("capset", _CAPSET[os.uname().machine], header, ctypes.create_string_buffer(b"\0" * 24))


def respect_modes() -> None:
    """Root too may then only write to files whose mode allows it, here and in every program started from here."""
    with contextlib.suppress(OSError):  # without the capability there is nothing to drop
        _prctl("drop a capability", _PR_CAPBSET_DROP, _DAC_OVERRIDE)
        header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0))
        sets = ctypes.create_string_buffer(24)
        syscall("capget", _CAPSET[os.uname().machine] - 1, header, sets)
        held = struct.unpack("6I", sets.raw)
        kept = [*(each & ~(1 << _DAC_OVERRIDE) for each in held[:3]), *held[3:]]
        syscall("capset", _CAPSET[os.uname().machine], header, ctypes.create_string_buffer(struct.pack("6I", *kept)))
