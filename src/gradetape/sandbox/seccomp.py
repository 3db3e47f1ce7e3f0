"""The system call filter of a sandboxed worker.

The allow list holds what Python, NumPy and TensorFlow need to compute, to run threads, to fork, and to read and write
files. Every other call returns ENOSYS, as on a kernel without it, so that libraries fall back. This refuses networking
beyond a connected pair, tracing, mounting, namespaces, keys, io_uring, bpf, and whatever later kernels add. A process
can set limits and priorities only for itself.

Nothing may pass from one worker to another, at the same time or later. The read-only files are the same for all of
them, and so is the kernel's cache of these. So no call reports who uses a file (inotify), which of its pages or names
are cached (mincore, RWF_NOWAIT, RESOLVE_CACHED), or discards them (fadvise, some of madvise). Locks are granted and
have no effect, since the worker's own files are its alone. What a clock or the counters of a process tell about the
cache remains.

Without namespaces, an ordinary user's workers have the grader's uid, and Landlock does not cover the modes and times of
files. A second filter refuses to change these.

libseccomp compiles the filter in the supervisor, and its bytes are sent to the zygote, so that an image needs no
libseccomp.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from typing import Any

from gradetape.errors import SandboxError
from gradetape.sandbox import syscalls
from gradetape.sandbox.base import required

_FILES = (
    "access chdir chmod close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fallocate "
    "fchdir fchmod fchmodat fchmodat2 fcntl fdatasync fgetxattr flistxattr fstat fstatfs fsync ftruncate "
    "futimesat getcwd getdents getdents64 getxattr lgetxattr link linkat listxattr llistxattr lseek lstat mkdir "
    "mkdirat newfstatat open openat pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readlink readlinkat "
    "readv rename renameat renameat2 rmdir sendfile stat statfs statx symlink symlinkat sync_file_range "
    "truncate umask unlink unlinkat utime utimensat utimes write writev"
)
_MEMORY = (
    "brk madvise membarrier mlock mlock2 mmap mprotect mremap msync munlock munmap pkey_alloc pkey_free pkey_mprotect"
)
_PROCESSES = (
    "arch_prctl clone execve execveat exit exit_group fork get_robust_list getcpu getegid geteuid getgid "
    "getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid "
    "getuid kill pidfd_open pidfd_send_signal prctl prlimit64 rseq sched_get_priority_max sched_get_priority_min "
    "sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_setaffinity sched_yield "
    "set_robust_list set_tid_address setpgid setpriority setrlimit setsid tgkill times tkill uname vfork wait4 "
    "waitid sysinfo capget"
)
_SIGNALS_AND_TIME = (
    "alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep pause restart_syscall "
    "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
    "rt_tgsigqueueinfo setitimer sigaltstack signalfd signalfd4 time timer_create timer_delete timer_getoverrun "
    "timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime"
)
_WAITING = (
    "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_waitv "
    "pipe pipe2 poll ppoll pselect6 select"
)
_CONNECTED_PAIRS = (
    "socketpair getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt "
    "shutdown"
)
_OTHERS = "getrandom memfd_create"
ALLOWED = " ".join((_FILES, _MEMORY, _PROCESSES, _SIGNALS_AND_TIME, _WAITING, _CONNECTED_PAIRS, _OTHERS)).split()

_MODES_AND_TIMES = ("chmod", "fchmod", "fchmodat", "fchmodat2", "futimesat", "utime", "utimensat", "utimes")
_WITHOUT_EFFECT = ("flock",)
_LOCK_COMMANDS = (5, 6, 7, 36, 37, 38)  # of fcntl: F_GETLK, F_SETLK, F_SETLKW, and the same for open file descriptions
# Of fcntl: descriptors and their flags, the size of a pipe, seals. Others watch folders (F_NOTIFY) or lease files.
_FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030, 1032, 1033, 1034)
# Of madvise: how pages of its own are used. Others load, discard or merge pages that it may share.
_ADVICE = (0, 1, 2, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19)
# TCGETS, TIOCGPGRP, TIOCOUTQ, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. Others change attributes of files.
_REQUESTS = (0x5401, 0x540F, 0x5411, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)

CLONE_NEW = 0x7E020000 | 0x80  # the flags that ask for namespaces, CLONE_NEWTIME among them
_TIOCSTI = 0x5412  # injects characters into the grader's terminal
_CORE = 4  # the kernel pipes a core dump to the machine's handler whatever the limit is, unless it is 1 (see limits.py)
_INT = 0xFFFFFFFF  # the bits of an int that the kernel reads
_REFUSED = ("socket", "connect", "bind", "listen", "accept", "accept4", "unshare", "setns", "mount", "ptrace")


def compile_filter(*, gpu: bool = False) -> bytes:
    """The filter as BPF instructions, with `gpu` for workers that use a GPU; raises SandboxError without libseccomp."""
    seccomp = _library()
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    conditional = _conditional(seccomp.Arg, seccomp.EQ, seccomp.MASKED_EQ, gpu)
    for name in (*ALLOWED, "ioctl"):
        if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:
            for conditions in conditional.get(name, [()]):
                rules.add_rule(seccomp.ALLOW, name, *conditions)
    for name in _REFUSED:
        rules.add_rule(seccomp.ERRNO(errno.EPERM), name)
    for name in _WITHOUT_EFFECT:
        rules.add_rule(seccomp.ERRNO(0), name)
    for command in _LOCK_COMMANDS:
        rules.add_rule(seccomp.ERRNO(0), "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, _INT, command))
    return _exported(rules)


def compile_fixed() -> bytes:
    """A filter that only refuses to change the modes and times of files; raises SandboxError without libseccomp."""
    seccomp = _library()
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in _MODES_AND_TIMES:
        if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:
            rules.add_rule(seccomp.ERRNO(errno.EPERM), name)
    return _exported(rules)


def _library() -> Any:
    try:
        import pyseccomp
    except (ImportError, RuntimeError) as error:
        raise SandboxError("the system call filter needs libseccomp: apt-get install libseccomp2") from error
    return pyseccomp


def _exported(rules: Any) -> bytes:
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _conditional(arg: Callable[..., Any], equal: Any, masked: Any, gpu: bool) -> dict[str, list[tuple[Any, ...]]]:
    """The conditions of calls that are not always allowed; one match from a call's list is enough."""

    def all_but(position: int, value: int) -> list[Any]:
        # any lower bit that differs: the kernel ignores the upper half, so a plain "not equal" could be bypassed
        return [arg(position, masked, bit, ~value & bit) for bit in (1 << place for place in range(32))]

    def one_of(position: int, *values: int) -> list[tuple[Any, ...]]:
        return [(arg(position, masked, _INT, value),) for value in values]

    def zero(position: int) -> Any:
        return arg(position, masked, _INT, 0)

    # What nobody here can change may be asked of any thread: TensorFlow complains in the output if it may not.
    itself = {name: one_of(0, 0) for name in ("sched_getaffinity", "sched_getattr", "sched_setaffinity")}
    if gpu:  # CUDA asks with its own number, which is not known here
        del itself["sched_getaffinity"]
    return itself | {
        "clone": [(arg(0, masked, CLONE_NEW, 0),)],
        "fcntl": one_of(1, *_FCNTL_COMMANDS),
        "getpriority": [(zero(1),)],
        # The driver of a GPU has requests of its own.
        "ioctl": [(other,) for other in all_but(1, _TIOCSTI)] if gpu else one_of(1, *_REQUESTS),
        "madvise": one_of(2, *_ADVICE),
        "preadv2": [(zero(5),)],
        "pwritev2": [(zero(5),)],
        # Only for the process itself: processes outside, and the worker's own init, may have the same uid.
        "prlimit64": [*((zero(0), other) for other in all_but(1, _CORE)), (zero(0), arg(2, equal, 0))],
        "setrlimit": [(other,) for other in all_but(0, _CORE)],
        "setpriority": [(zero(0), zero(1))],
    }


def load(program: bytes) -> None:
    """Loads the filter for this process and its children; raises SandboxError if the kernel refuses."""
    with required("system call filter (seccomp)", "It needs a kernel with CONFIG_SECCOMP_FILTER that allows its use."):
        syscalls.load_filter(program)
