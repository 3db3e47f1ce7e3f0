"""A missing isolation layer: another backend is used, or an error names the layer and says how to get it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyseccomp
import pytest

from examples.hostile.delegation import NO_NAMESPACES, on_a_lesser_machine, open_to_others
from gradetape.errors import Gone, SandboxError
from gradetape.runtime import launch
from gradetape.runtime.launch import LocalZygote
from gradetape.sandbox import seccomp, syscalls
from gradetape.sandbox.base import STUDENT_UIDS, Policy, Uids
from gradetape.sandbox.driver import DriverAccess
from gradetape.sandbox.plain import PlainSandbox
from gradetape.sandbox.seccomp import compile_filter
from tests.leftovers import INSIDE, SECRET, leftovers, many_workers, no_more_than, running, until
from tests.refusing import (
    KILL,
    NO_LANDLOCK,
    SETGID,
    SETUID,
    asked,
    flagged,
    hide_control_groups,
    keep_capabilities,
    limit_by_engine,
    open_folder,
)
from tests.remote_sessions import LIMITS, OpenSession, open_session

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take isolation layers from a process")

PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 22, 36, 38
REMOVED: dict[str, tuple[list[tuple[Any, ...]], str]] = {
    "files": ([*NO_NAMESPACES, *NO_LANDLOCK], "no mount namespace.* no isolation of files.*landlock among"),
    "network": ([("unshare", errno.EPERM, flagged(0, syscalls.NEWNET)), *NO_LANDLOCK], "no network namespace"),
    "seccomp": ([("prctl", errno.EINVAL, asked(0, PR_SET_SECCOMP))], "no system call filter.*CONFIG_SECCOMP"),
    "no_new_privs": ([("prctl", errno.EINVAL, asked(0, PR_SET_NO_NEW_PRIVS))], "no_new_privs.*Linux 3.5"),
    "rlimits": (
        [("prlimit64", 0, pyseccomp.Arg(2, pyseccomp.NE, 0))],
        "resource limits are not in force.*Grading in such a sandbox is refused",
    ),
    "uid": ([("setresuid",)], "no uid of its own.*SETUID"),
    "kill": (
        [*NO_NAMESPACES, ("prctl", errno.EINVAL, asked(0, PR_SET_CHILD_SUBREAPER))],
        "no kill that reaches every process.*Linux 3.4",
    ),
}


def refusal(zygote: LocalZygote) -> str:
    """Why a zygote does not start."""
    with zygote, pytest.raises(SandboxError) as caught:
        zygote.wait_ready()
    return str(caught.value)


@pytest.mark.parametrize("layer", REMOVED)
def test_a_layer_that_is_missing_is_refused_by_name(layer: str) -> None:
    rules, words = REMOVED[layer]
    reason = refusal(on_a_lesser_machine(lambda: LocalZygote(LIMITS, secret=()), *rules))
    assert re.search(words, reason), reason


def test_without_a_limit_on_the_sum_of_memory_nothing_is_graded() -> None:
    reason = refusal(on_a_lesser_machine(lambda: LocalZygote(LIMITS, secret=()), prepare=hide_control_groups))
    assert "a worker's total memory" in reason
    for advice in ("as root", "systemd-run --user --scope -p Delegate=yes", "--isolation container"):
        assert advice in reason


def test_an_ordinary_user_whose_landlock_does_not_isolate_signals_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradetape.sandbox.plain.landlock.restrict", lambda *_: ("landlock", "landlock tcp"))
    policy = Policy(socket="/nowhere/zygote", isolation="namespaces", limits=LIMITS, secret=())
    with pytest.raises(SandboxError, match=r"no isolation between processes of one user.*Linux 6\.12"):
        PlainSandbox(policy, each_limited=True)._landlock(None, "/nowhere", DriverAccess())


def test_without_libseccomp_nothing_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    with pytest.raises(SandboxError, match="system call filter needs libseccomp: apt-get install libseccomp2"):
        LocalZygote(LIMITS, secret=())


LETS_THROUGH = {
    "socket": "a socket .*network does not hold",
    "connect": "a connection .*network does not hold",
    "unshare": "a new namespace .*system call filter does not hold",
    "ptrace": "ptrace .*system call filter does not hold",
    "bpf": "bpf .*system call filter does not hold",
    "keyctl": "keyctl .*system call filter does not hold",
    "io_uring_setup": "io_uring_setup .*system call filter does not hold",
    "process_vm_readv": "process_vm_readv .*system call filter does not hold",
    "inotify_init1": "inotify_init1 .*system call filter does not hold",
    "fadvise64": "fadvise64 .*system call filter does not hold",
    "readahead": "readahead .*system call filter does not hold",
    "mincore": "mincore .*system call filter does not hold",
    "openat2": "openat2 .*system call filter does not hold",
}


@pytest.mark.parametrize("call", LETS_THROUGH)
def test_a_filter_that_lets_something_through_is_found_out(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradetape.sandbox.seccomp._REFUSED", ())
    monkeypatch.setattr("gradetape.sandbox.seccomp.ALLOWED", [*_allowed(), call])
    monkeypatch.setattr(launch, "compile_filter", compile_filter)
    words = f"the sandbox is set up, but {LETS_THROUGH[call]}. Grading in such a sandbox is refused"
    assert re.search(words, refusal(LocalZygote(LIMITS, secret=())))


SHARED_BY_WORKERS = {
    "preadv2": "reading only what is cached",
    "madvise": "discarding memory",
    "fcntl": "watching a folder",
}


@pytest.mark.parametrize("call", SHARED_BY_WORKERS)
def test_a_filter_through_which_workers_could_meet_is_found_out(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unconditionally allowed, each of these calls lets a worker leave or find something that others share."""
    found = seccomp._conditional
    monkeypatch.setattr(seccomp, "_conditional", lambda *how: {**found(*how), call: [()]})
    monkeypatch.setattr(seccomp, "ALLOWED", [*seccomp.ALLOWED, "flock"] if call == "flock" else seccomp.ALLOWED)
    monkeypatch.setattr(seccomp, "_WITHOUT_EFFECT", () if call == "flock" else ("flock",))
    monkeypatch.setattr(seccomp, "_LOCK_COMMANDS", () if call == "fcntl" else seccomp._LOCK_COMMANDS)
    monkeypatch.setattr(launch, "compile_filter", compile_filter)
    words = f"the sandbox is set up, but {SHARED_BY_WORKERS[call]} is possible inside: the system call filter does not"
    assert re.search(words, refusal(LocalZygote(LIMITS, secret=())))


def _allowed() -> list[str]:
    return list(seccomp.ALLOWED)


def test_terminal_input_cannot_be_asked_for_in_disguise(tmp_path: Path) -> None:
    """The kernel reads only the lower half of an ioctl's number."""
    filter_ = compile_filter()
    pid = os.fork()
    if pid == 0:
        syscalls.no_new_privileges()
        syscalls.load_filter(filter_)
        found = [_errno_of_ioctl(0x5412), _errno_of_ioctl(0x5412 | 1 << 32), _errno_of_ioctl(0x5413)]
        os._exit(0 if found == [errno.ENOSYS, errno.ENOSYS, errno.ENOTTY] else 1)
    assert os.waitpid(pid, 0)[1] == 0


def _errno_of_ioctl(number: int) -> int | None:
    null = os.open("/dev/null", os.O_RDWR)
    try:
        syscalls.ioctl(null, number)
    except OSError as error:
        return error.errno
    return None


@pytest.fixture(scope="module")
def secret() -> Iterator[Path]:
    """A folder that everybody could read without the sandbox."""
    with open_folder() as folder:
        (folder / "seed").write_text(SECRET)
        yield folder


@pytest.fixture(scope="module")
def plain(secret: Path) -> Iterator[LocalZygote]:
    """A zygote without namespaces, as in many containers."""
    with without_namespaces(secret) as zygote:
        zygote.wait_ready()
        yield zygote


def without_namespaces(secret: Path) -> LocalZygote:
    return on_a_lesser_machine(lambda: LocalZygote(LIMITS, secret=(secret,)), *NO_NAMESPACES, prepare=open_to_others)


@pytest.fixture(scope="module")
def loaded(plain: LocalZygote) -> Iterator[OpenSession]:
    with open_session(plain, INSIDE) as opened:
        opened.session.ready()
        assert opened.session.report.events == []
        yield opened


@pytest.fixture
def inside(loaded: OpenSession) -> Any:
    loaded.begin()
    return loaded.student


def test_without_namespaces_the_layers_say_so(loaded: OpenSession) -> None:
    assert {"plain", "uid", "no_new_privs", "rlimits", "landlock", "seccomp"} <= set(loaded.session.report.layers)
    assert not {"mount", "pid", "network"} & set(loaded.session.report.layers)


def test_without_namespaces_nothing_outside_can_be_reached(inside: Any, plain: LocalZygote) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0gradetape-plain")
        abstract.listen()
        for address in (["inet", "127.0.0.1", server.getsockname()[1]], ["unix", "\0gradetape-plain"]):
            assert inside.connects(*address) is False, address
        assert inside.connects("unix", str(plain.path)) is False


def test_without_namespaces_nothing_secret_can_be_read(inside: Any, plain: LocalZygote, secret: Path) -> None:
    assert (secret / "seed").stat().st_mode & 0o004
    for path in (secret / "seed", Path(__file__), "/etc/shadow", "/etc/hosts", "/proc/1/cmdline"):
        assert inside.reads(str(path)) == "", path
    for process in (plain._process.pid, os.getpid(), os.getppid()):
        for name in ("cmdline", "environ", "maps", "status"):
            assert inside.reads(f"/proc/{process}/{name}") == "", (process, name)
    printed = 200  # where cells print to, once more
    assert inside.descriptors() == [0, 1, 2, *inside.its_own(), 100, printed]


def test_without_namespaces_only_a_private_folder_can_be_written_to(inside: Any, secret: Path) -> None:
    for folder in ("/", "/usr", "/tmp", "/dev/shm", "/var/tmp", "/home", sys.prefix, str(secret)):
        assert inside.writes(folder) in ("OSError", "PermissionError", "FileNotFoundError"), folder
    home = inside.environment()["HOME"]
    assert inside.writes(home) == "written" and Path(home).stat().st_mode & 0o777 == 0o700
    assert inside.fills(home, 200) == "File too large"


def test_without_namespaces_privileges_are_gone(inside: Any) -> None:
    status = inside.status()
    assert status["NoNewPrivs"] == "1" and status["Groups"] == ""
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert len(set(status["Uid"].split())) == 1 and status["Uid"].split()[0] != "0"
    for attempt in (
        "mounts_something", "becomes_root", "traces_its_parent", "signals_its_parent", "limits_its_parent",
        "changes_root",
    ):  # fmt: skip
        assert getattr(inside, attempt)() == "refused", attempt


def test_without_namespaces_processes_are_limited(inside: Any) -> None:
    assert inside.forks(500) < LIMITS.processes


def test_without_namespaces_no_two_workers_share_a_uid(plain: LocalZygote) -> None:
    with contextlib.ExitStack() as stack:
        sides = [
            stack.enter_context(open_session(plain, INSIDE, role=role)) for role in ("student", "student", "reference")
        ]
        uids = [opened.student.status()["Uid"] for opened in sides]
    assert len(set(uids)) == 3


def test_two_graders_on_one_machine_begin_with_other_uids() -> None:
    assert len({Uids().take(()) for _ in range(50)}) > 1
    used = list(STUDENT_UIDS)[1:]
    assert Uids().take(used) == STUDENT_UIDS[0]


def test_without_namespaces_a_worker_cannot_end_another(plain: LocalZygote, loaded: OpenSession) -> None:
    with open_session(plain, "import os\ndef ends_all():\n    os.kill(-1, 9)\n") as opened, contextlib.suppress(Gone):
        opened.student.ends_all()
    loaded.begin()
    assert loaded.student.status() and not plain.ended(0)


def test_without_namespaces_nothing_outlives_its_worker(plain: LocalZygote) -> None:
    before, marker = leftovers(plain._process.pid), "65432.1987"
    with open_session(plain, INSIDE) as opened:
        home = Path(opened.student.environment()["HOME"])
        opened.student.locks(str(home))
        opened.student.daemon(marker)
        assert until(lambda: running(marker) != []) and home.exists()
    assert until(lambda: running(marker) == [] and not home.exists())
    with open_session(plain, INSIDE) as opened:
        opened.student.daemon(marker)
        assert until(lambda: running(marker) != [])
        with pytest.raises(Gone, match="exit status 5"):
            opened.student.leaves_with(5)
        assert until(lambda: running(marker) == [])
    assert until(lambda: no_more_than(before, leftovers(plain._process.pid)))


def test_without_namespaces_many_workers_leave_nothing_behind(plain: LocalZygote) -> None:
    many_workers(plain, 3)
    before = leftovers(plain._process.pid)
    many_workers(plain, 40)
    assert until(lambda: no_more_than(before, leftovers(plain._process.pid))), (before, leftovers(plain._process.pid))


def contained(*capabilities: int) -> LocalZygote:
    """A zygote of root with only these capabilities, as in a hardened container."""

    def prepare() -> None:
        open_to_others()
        limit_by_engine(2048)
        keep_capabilities(*capabilities)

    return on_a_lesser_machine(lambda: LocalZygote(LIMITS, secret=()), prepare=prepare)


def test_three_capabilities_are_enough_in_a_container() -> None:
    marker = "43210.9876"
    with contained(SETUID, SETGID, KILL) as zygote:
        zygote.wait_ready()
        with open_session(zygote, INSIDE) as opened:
            home = Path(opened.student.environment()["HOME"])
            assert {"plain", "uid", "landlock", "seccomp", "memory of the container"} <= set(
                opened.session.report.layers
            )
            assert {int(opened.student.status()[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
            assert opened.student.forks(500) < LIMITS.processes
            opened.student.locks(str(home))
            opened.student.daemon(marker)
            assert until(lambda: running(marker) != [])
        assert until(lambda: running(marker) == [] and not home.exists())


@pytest.mark.parametrize("missing", ["KILL", "SETUID"])
def test_a_missing_capability_is_named(missing: str) -> None:
    capabilities = {"SETUID": SETUID, "SETGID": SETGID, "KILL": KILL}
    del capabilities[missing]
    before = private_folders()
    assert missing in refusal(contained(*capabilities.values()))
    assert private_folders() <= before


def private_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("gradetape-worker-*"))


def test_without_namespaces_the_workers_of_a_killed_zygote_end_too(secret: Path) -> None:
    marker = "54321.7654"
    zygote = without_namespaces(secret)
    with zygote, contextlib.suppress(Exception):
        zygote.wait_ready()
        with open_session(zygote, INSIDE) as opened:
            opened.student.daemon(marker)
            assert until(lambda: running(marker) != [])
            zygote._process.kill()
            assert until(lambda: running(marker) == [])
    assert running(marker) == []
