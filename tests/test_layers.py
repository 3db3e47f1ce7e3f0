"""What happens where a wall cannot be had: another that does, or a refusal that names it and says how to get it."""

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

from gradetape.errors import Gone, SandboxError
from gradetape.runtime import launch
from gradetape.runtime.launch import LocalZygote
from gradetape.sandbox import syscalls
from gradetape.sandbox.base import STUDENT_UIDS, Policy, Uids
from gradetape.sandbox.plain import PlainSandbox
from gradetape.sandbox.seccomp import compile_filter
from tests.far import LIMITS, Side, side
from tests.leftovers import INSIDE, SECRET, leftovers, many_workers, no_more_than, running, until
from tests.refusing import (
    KILL,
    NO_LANDLOCK,
    NO_NAMESPACES,
    SETGID,
    SETUID,
    asked,
    flagged,
    hide_control_groups,
    keep_capabilities,
    limit_by_engine,
    on_a_lesser_machine,
    open_folder,
    open_to_others,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take walls from a process")

PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 22, 36, 38
REMOVED: dict[str, tuple[list[tuple[Any, ...]], str]] = {
    "files": ([*NO_NAMESPACES, *NO_LANDLOCK], "no mount namespace.* no wall around files.*landlock among"),
    "network": ([("unshare", errno.EPERM, flagged(0, syscalls.NEWNET)), *NO_LANDLOCK], "no network namespace"),
    "seccomp": ([("prctl", errno.EINVAL, asked(0, PR_SET_SECCOMP))], "no filter of system calls.*CONFIG_SECCOMP"),
    "no_new_privs": ([("prctl", errno.EINVAL, asked(0, PR_SET_NO_NEW_PRIVS))], "no_new_privs.*Linux 3.5"),
    "rlimits": (
        [("prlimit64", 0, pyseccomp.Arg(2, pyseccomp.NE, 0))],
        "resource limits are not in force.*Nothing is graded behind such walls",
    ),
    "uid": ([("setresuid",)], "no uid of its own.*SETUID"),
    "kill": (
        [*NO_NAMESPACES, ("prctl", errno.EINVAL, asked(0, PR_SET_CHILD_SUBREAPER))],
        "no kill that reaches all.*Linux 3.4",
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
    told = refusal(on_a_lesser_machine(lambda: LocalZygote(LIMITS), *rules))
    assert re.search(words, told), told


def test_without_a_limit_on_the_sum_of_memory_nothing_is_graded() -> None:
    told = refusal(on_a_lesser_machine(lambda: LocalZygote(LIMITS), prepare=hide_control_groups))
    assert "the sum of a worker's memory" in told
    for advice in ("as root", "systemd-run --user --scope -p Delegate=yes", "--isolation container"):
        assert advice in told


def test_an_ordinary_user_whose_landlock_keeps_no_signals_in_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradetape.sandbox.plain.landlock.restrict", lambda *_: ("landlock", "landlock tcp"))
    walls = PlainSandbox(Policy(socket="/nowhere/zygote", isolation="namespaces", limits=LIMITS), each_limited=True)
    with pytest.raises(SandboxError, match=r"no wall between processes of one user.*Linux 6\.12"):
        walls._landlock(None, "/nowhere")


def test_without_libseccomp_nothing_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    with pytest.raises(SandboxError, match="apt-get install libseccomp2"):
        LocalZygote(LIMITS)


LETS_THROUGH = {
    "socket": "a socket .*network does not hold",
    "connect": "a connection .*network does not hold",
    "unshare": "a new namespace .*filter of system calls does not hold",
    "ptrace": "ptrace .*filter of system calls does not hold",
    "bpf": "bpf .*filter of system calls does not hold",
    "keyctl": "keyctl .*filter of system calls does not hold",
    "io_uring_setup": "io_uring_setup .*filter of system calls does not hold",
    "process_vm_readv": "process_vm_readv .*filter of system calls does not hold",
}


@pytest.mark.parametrize("call", LETS_THROUGH)
def test_a_filter_that_lets_something_through_is_found_out(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradetape.sandbox.seccomp._REFUSED", ())
    monkeypatch.setattr("gradetape.sandbox.seccomp.ALLOWED", [*_allowed(), call])
    monkeypatch.setattr(launch, "compile_filter", compile_filter)
    words = f"the walls stand, but {LETS_THROUGH[call]}. Nothing is graded behind such walls"
    assert re.search(words, refusal(LocalZygote(LIMITS)))


def _allowed() -> list[str]:
    from gradetape.sandbox import seccomp

    return list(seccomp.ALLOWED)


def test_terminal_input_cannot_be_asked_for_in_disguise(tmp_path: Path) -> None:
    """The kernel looks at the lower half of an ioctl's number alone."""
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
    """Something that everybody may read, were it not for the walls."""
    with open_folder() as folder:
        (folder / "seed").write_text(SECRET)
        yield folder


@pytest.fixture(scope="module")
def plain(secret: Path) -> Iterator[LocalZygote]:
    """A zygote in a place without namespaces, as a container often is."""
    with without_namespaces(secret) as zygote:
        zygote.wait_ready()
        yield zygote


def without_namespaces(secret: Path) -> LocalZygote:
    return on_a_lesser_machine(lambda: LocalZygote(LIMITS, secret=(secret,)), *NO_NAMESPACES, prepare=open_to_others)


@pytest.fixture(scope="module")
def loaded(plain: LocalZygote) -> Iterator[Side]:
    with side(plain, INSIDE) as far:
        far.session.ready()
        assert far.session.events == []
        yield far


@pytest.fixture
def inside(loaded: Side) -> Any:
    loaded.begin()
    return loaded.student


def test_without_namespaces_the_layers_say_so(loaded: Side) -> None:
    assert {"plain", "uid", "no_new_privs", "rlimits", "landlock", "seccomp"} <= set(loaded.session.layers)
    assert not {"mount", "pid", "network"} & set(loaded.session.layers)


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
    assert inside.descriptors() == [0, 1, 2, *inside.its_own(), 100]


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
        sides = [stack.enter_context(side(plain, INSIDE, role=role)) for role in ("student", "student", "reference")]
        uids = [far.student.status()["Uid"] for far in sides]
    assert len(set(uids)) == 3


def test_two_graders_on_one_machine_begin_with_other_uids() -> None:
    assert len({Uids().take(()) for _ in range(50)}) > 1
    used = list(STUDENT_UIDS)[1:]
    assert Uids().take(used) == STUDENT_UIDS[0]


def test_without_namespaces_a_worker_cannot_end_another(plain: LocalZygote, loaded: Side) -> None:
    with side(plain, "import os\ndef ends_all():\n    os.kill(-1, 9)\n") as far, contextlib.suppress(Gone):
        far.student.ends_all()
    loaded.begin()
    assert loaded.student.status() and plain.alive


def test_without_namespaces_nothing_outlives_its_worker(plain: LocalZygote) -> None:
    before, builder = leftovers(plain._process.pid), "65432.1987"
    with side(plain, INSIDE) as far:
        home = Path(far.student.environment()["HOME"])
        far.student.locks(str(home))
        far.student.daemon(builder)
        assert until(lambda: running(builder) != []) and home.exists()
    assert until(lambda: running(builder) == [] and not home.exists())
    with side(plain, INSIDE) as far:
        far.student.daemon(builder)
        assert until(lambda: running(builder) != [])
        with pytest.raises(Gone, match="exit status 5"):
            far.student.leaves_with(5)
        assert until(lambda: running(builder) == [])
    assert until(lambda: no_more_than(before, leftovers(plain._process.pid)))


def test_without_namespaces_many_workers_leave_nothing_behind(plain: LocalZygote) -> None:
    many_workers(plain, 3)
    before = leftovers(plain._process.pid)
    many_workers(plain, 40)
    assert until(lambda: no_more_than(before, leftovers(plain._process.pid))), (before, leftovers(plain._process.pid))


def contained(*capabilities: int) -> LocalZygote:
    """A zygote that is root with these capabilities alone, as in a hardened container."""

    def prepare() -> None:
        open_to_others()
        limit_by_engine(2048)
        keep_capabilities(*capabilities)

    return on_a_lesser_machine(lambda: LocalZygote(LIMITS), prepare=prepare)


def test_three_capabilities_are_enough_in_a_container() -> None:
    builder = "43210.9876"
    with contained(SETUID, SETGID, KILL) as zygote:
        zygote.wait_ready()
        with side(zygote, INSIDE) as far:
            home = Path(far.student.environment()["HOME"])
            assert {"plain", "uid", "landlock", "seccomp", "memory of the container"} <= set(far.session.layers)
            assert {int(far.student.status()[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
            assert far.student.forks(500) < LIMITS.processes
            far.student.locks(str(home))
            far.student.daemon(builder)
            assert until(lambda: running(builder) != [])
        assert until(lambda: running(builder) == [] and not home.exists())


@pytest.mark.parametrize("missing", ["KILL", "SETUID"])
def test_a_capability_that_is_missing_is_named(missing: str) -> None:
    capabilities = {"SETUID": SETUID, "SETGID": SETGID, "KILL": KILL}
    del capabilities[missing]
    before = private_folders()
    assert missing in refusal(contained(*capabilities.values()))
    assert private_folders() <= before


def private_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("gradetape-worker-*"))


def test_without_namespaces_the_workers_of_a_killed_zygote_end_too(secret: Path) -> None:
    builder = "54321.7654"
    zygote = without_namespaces(secret)
    with zygote, contextlib.suppress(Exception):
        zygote.wait_ready()
        with side(zygote, INSIDE) as far:
            far.student.daemon(builder)
            assert until(lambda: running(builder) != [])
            zygote._process.kill()
            assert until(lambda: running(builder) == [])
    assert running(builder) == []
