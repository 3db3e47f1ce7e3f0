"""Landlock: limits a worker's use of files, ports, abstract sockets and signals, whatever its uid and mounts.

The kernel's Landlock ABI version decides what can be limited: files from version 1, TCP from 4, device ioctls from 5,
abstract sockets and signals from 6.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from gradetape.sandbox import syscalls

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_ALL_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_TCP = 0b11
_SCOPES = 0b11  # abstract sockets, and signals
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1


def abi() -> int:
    """The kernel's Landlock ABI version; 0 without Landlock."""
    try:
        return syscalls.syscall("landlock", _CREATE, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(
    readable: Iterable[str], writable: Iterable[str], devices: Iterable[str], changeable: Iterable[str] = ()
) -> tuple[str, ...]:
    """Restricts this process and its children permanently; returns the layers that this kernel supports.

    Paths in `readable` can be read and executed; in `writable` everything but devices and sockets can be created;
    `devices` can be read and written; existing files in `changeable` can be written. Requires no_new_privs.
    """
    version = abi()
    if version < 1:
        return ()
    handled = _ALL_FILE_RIGHTS.get(version, (1 << 16) - 1)
    rules = _create(version, handled)
    try:
        _allow(rules, readable, _EXECUTE | _READ_FILE | _READ_DIR)
        _allow(rules, writable, handled & ~(_MAKE_CHAR | _MAKE_BLOCK | _MAKE_SOCK | _IOCTL_DEV))
        _allow(rules, devices, handled & (_READ_FILE | _WRITE_FILE | _IOCTL_DEV))
        _allow(rules, changeable, handled & (_WRITE_FILE | _TRUNCATE))
        syscalls.syscall("landlock_restrict_self", _RESTRICT, rules, 0)
    finally:
        os.close(rules)
    return ("landlock", *(("landlock tcp",) if version >= 4 else ()), *(("landlock scopes",) if version >= 6 else ()))


def _create(version: int, handled: int) -> int:
    fields = (handled, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", *fields), 24)
    return syscalls.syscall("landlock_create_ruleset", _CREATE, attributes, size, 0)


def _allow(rules: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rule = struct.pack("=Qi", rights if is_folder else rights & _FILE_RIGHTS, descriptor)
        syscalls.syscall(
            f"landlock_add_rule {path}", _ADD, rules, _PATH_BENEATH, ctypes.create_string_buffer(rule, 12), 0
        )
        os.close(descriptor)
