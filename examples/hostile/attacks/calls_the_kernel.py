import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(4096)
CALLS = {
    "add_key": (248, b"user", b"hostile", b"payload", 7, -3), "request_key": (249, b"user", b"hostile", None, -3),
    "keyctl": (250, 0, -3, 1), "io_uring_setup": (425, 8, room), "bpf": (321, 0, room, 64),
    "perf_event_open": (298, room, 0, -1, -1, 0), "userfaultfd": (323, 0), "fanotify_init": (300, 0, 0),
    "open_by_handle_at": (304, -100, room, 0), "kcmp": (312, 1, 1, 0, 0, 0), "process_vm_writev": (311, 1, room, 1, room, 1, 0),
    "init_module": (175, room, 64, b""), "kexec_load": (246, 0, 0, None, 0), "reboot": (169, 0xFEE1DEAD, 672274793, 0, None),
    "swapon": (167, b"/tmp/swap", 0), "settimeofday": (164, room, None), "sethostname": (170, b"hostile", 7),
    "iopl": (172, 3), "acct": (163, b"/tmp/acct"), "quotactl": (179, 0, None, 0, None), "syslog": (103, 3, room, 4096),
    "personality": (135, 0x0040000), "move_pages": (279, 1, 0, None, None, None, 0), "lookup_dcookie": (212, 0, room, 64),
    "landlock_create_ruleset": (444, None, 0, 1), "memfd_secret": (447, 0), "pidfd_getfd": (438, 3, 0, 0),
    "fsopen": (430, b"tmpfs", 0), "open_tree": (428, -100, b"/", 1), "modify_ldt": (154, 0, room, 4096),
    "vmsplice": (278, 0, None, 0, 0), "name_to_handle_at": (303, -100, b"/", room, room, 0),
}  # fmt: skip
HARMLESS = {
    "landlock_create_ruleset",
    "personality",
    "modify_ldt",
    "name_to_handle_at",
    "vmsplice",
    "kcmp",
    "memfd_secret",
}
for name, (number, *args) in CALLS.items():
    ctypes.set_errno(0)
    result = libc.syscall(number, *args)
    if result >= 0 and name not in HARMLESS:
        print("BREACH:", name, "gave", result)
    elif result < 0 and ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM, errno.EACCES) and name not in HARMLESS:
        print("reached the kernel:", name, errno.errorcode[ctypes.get_errno()])
