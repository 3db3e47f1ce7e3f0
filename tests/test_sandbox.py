"""What the sandbox prevents, and what the zygote survives."""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradetape.errors import Gone, InfrastructureError, SandboxError
from gradetape.judge.context import CheckContext
from gradetape.records import Cell, Job
from gradetape.remote.budget import CheckBudget
from gradetape.remote.roles import STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote
from gradetape.wire.messages import BY_ITSELF, FROM_OUTSIDE
from tests.leftovers import INSIDE, SECRET, leftovers, many_workers, no_more_than, running, until
from tests.remote_sessions import LIMITS, OpenSession, open_session, started

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="as root, the sandbox does not depend on this machine's settings"
)


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("autograder")
    (folder / "seed").write_text(SECRET)
    return folder


@pytest.fixture(scope="module")
def zygote(secret: Path) -> Iterator[LocalZygote]:
    os.environ["GRADETAPE_TEST_SECRET"] = SECRET
    with started(secret=(secret,)) as zygote:
        del os.environ["GRADETAPE_TEST_SECRET"]
        yield zygote


@pytest.fixture(scope="module")
def loaded(zygote: LocalZygote) -> Iterator[OpenSession]:
    with open_session(zygote, INSIDE) as opened:
        opened.session.ready()
        assert opened.session.report.events == []
        yield opened


@pytest.fixture
def inside(loaded: OpenSession) -> Any:
    """The functions of a submission that explores its surroundings."""
    loaded.begin()
    return loaded.student


def test_the_layers_are_reported(loaded: OpenSession) -> None:
    assert {"mount", "pid", "network", "uid", "no_new_privs", "rlimits"} <= set(loaded.session.report.layers)


def test_nothing_outside_can_be_reached(inside: Any, zygote: LocalZygote) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0gradetape-test")
        abstract.listen()
        port = server.getsockname()[1]
        for address in (["inet", "127.0.0.1", port], ["inet", "192.0.2.1", 80], ["unix", "\0gradetape-test"]):
            assert inside.connects(*address) is False, address
        assert inside.connects("unix", str(zygote.path)) is False
    assert inside.interfaces() in (["lo"], [])


def test_nothing_secret_can_be_seen(inside: Any, zygote: LocalZygote, secret: Path) -> None:
    for path in (
        secret,
        secret / "seed",
        zygote.path,
        Path(__file__),
        Path.home() / ".bashrc",
        "/etc/shadow",
    ):
        assert inside.exists(str(path)) is False
    assert secret.exists() and zygote.path.exists()
    assert "GRADETAPE_TEST_SECRET" not in inside.environment()
    for process in ("self", "1", str(zygote._process.pid), str(os.getpid())):
        assert SECRET not in inside.reads(f"/proc/{process}/environ")
    printed = 200  # where cells print to, once more
    assert inside.descriptors() == [0, 1, 2, *inside.its_own(), 100, printed]


def test_links_of_the_system_lead_where_they_do_outside(zygote: LocalZygote) -> None:
    links = [path for path in Path("/usr/bin").iterdir() if path.is_symlink() and path.exists()]
    led = next((path for path in links if path.readlink().parent == Path("/etc/alternatives")), None)
    if led is None:
        pytest.skip("this system has no alternatives")
    with open_session(zygote, f"import os\nfound = os.path.exists({str(led)!r})") as opened:
        assert opened.student.found is True


def test_only_private_folders_can_be_written_to(inside: Any) -> None:
    for folder in (
        "/",
        "/usr",
        "/usr/lib",
        "/etc",
        "/dev",
        "/bin",
        sys.prefix,
        os.path.dirname(json.__file__),
        "/proc/sys/kernel",
    ):
        assert inside.writes(folder) in ("OSError", "PermissionError", "FileNotFoundError"), folder
    for folder in ("/tmp", "/dev/shm", "/home"):
        assert inside.writes(folder) == "written"
    private = ("/tmp", "/dev/shm", "/home", "/proc")
    for point, options in inside.mounts():
        assert "ro" in options or point in private or point.startswith("/dev/"), point


def test_what_is_left_behind_is_gone_for_the_next(inside: Any, zygote: LocalZygote) -> None:
    for folder in ("/tmp", "/dev/shm", "/home"):
        inside.leaves(f"{folder}/left-by-a-student")
        assert not Path(folder, "left-by-a-student").exists()
    with open_session(zygote, INSIDE) as next_one:
        for folder in ("/tmp", "/dev/shm", "/home"):
            assert next_one.student.exists(f"{folder}/left-by-a-student") is False
        assert next_one.student.shared("gradetape-test") is False


def test_privileges_are_gone(inside: Any) -> None:
    status = inside.status()
    assert status["NoNewPrivs"] == "1" and status["Groups"] == ""
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert len(set(status["Uid"].split())) == 1 and status["Uid"].split()[0] not in ("0", str(os.getuid()))
    for attempt in (
        "mounts_something", "becomes_root", "traces_its_parent", "signals_its_parent", "limits_its_parent",
        "changes_root",
    ):  # fmt: skip
        assert getattr(inside, attempt)() == "refused", attempt


def test_a_thread_may_ask_how_it_is_scheduled(inside: Any) -> None:
    assert inside.asks_how_its_threads_are_scheduled() == (0, 0)


def test_only_its_own_processes_can_be_seen(inside: Any) -> None:
    assert len(inside.processes()) <= 3 and inside.processes()[0] == 1


def test_roles_have_uids_of_their_own(zygote: LocalZygote) -> None:
    found = set()
    for role in ("student", "reference", "clean"):
        with open_session(zygote, INSIDE, role=role) as opened:
            found.add(opened.student.status()["Uid"])
    assert len(found) == 3


def test_disks_and_processes_are_limited(inside: Any, loaded: OpenSession) -> None:
    assert inside.fills("/tmp", 200) in ("No space left on device", "File too large")
    assert inside.fills("/dev/shm", 200) in ("No space left on device", "File too large")
    assert inside.litters("/home") == "No space left on device"
    assert inside.forks(500) < LIMITS.processes
    assert inside.opens(5000) < 1024


def test_a_worker_that_burns_leaves_others_their_share_of_the_processors(zygote: LocalZygote) -> None:
    with open_session(zygote, INSIDE) as one, open_session(zygote, INSIDE) as other:
        if "cpu share" not in (one.session.ready() and one.session.report.layers):
            pytest.skip("no control group here deals out the processors")
        other.session.ready()
        one.student.burns(50)
        assert other.student.computes(3.0) > 4 * (os.cpu_count() or 1) / 51


def test_a_daemon_does_not_outlive_its_worker(zygote: LocalZygote) -> None:
    marker = "98765.4321"
    with open_session(zygote, INSIDE) as opened:
        opened.student.daemon(marker)
        assert until(lambda: running(marker) != [])
    assert until(lambda: running(marker) == [])
    with open_session(zygote, INSIDE) as opened:
        opened.student.daemon(marker)
        assert until(lambda: running(marker) != [])
        with pytest.raises(Gone, match="exit status 5"):
            opened.student.leaves_with(5)
        assert until(lambda: running(marker) == [])


@pytest.mark.slow
def test_five_hundred_workers_leave_nothing_behind(zygote: LocalZygote) -> None:
    pid = zygote._process.pid
    many_workers(zygote, 3)
    before = leftovers(pid)
    many_workers(zygote, 500)
    assert until(lambda: no_more_than(before, leftovers(pid))), (before, leftovers(pid))


def test_many_workers_at_once_are_apart(zygote: LocalZygote) -> None:
    pid = zygote._process.pid
    before = leftovers(pid)
    control = ZygoteClient(zygote.path)
    workers = [control.spawn("student", 60) for _ in range(30)]
    many = leftovers(pid)["children"]
    for _, data, _ in workers:
        data.close()
    control.close()
    assert many >= 30
    assert until(lambda: no_more_than(before, leftovers(pid))), (before, leftovers(pid))


def packet(zygote: LocalZygote, *packets: bytes, descriptors: int = 0) -> None:
    """Sends packets on a new connection and waits for the zygote's answer, or the end of the connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection, open("/dev/null") as null:
        connection.connect(str(zygote.path))
        connection.settimeout(10)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()] * descriptors))]
        with contextlib.suppress(OSError):
            for data in packets:
                connection.sendmsg([data], rights if descriptors else [])
            connection.recv(100)


MALFORMED = [
    b"{}", b"\xff" * 1000, b"[" * 60_000, b"null", b"{" * 65_536, b'{"do":"spawn"}', b'{"do":"kill","worker":"x"}',
    b'{"do":"kill","worker":7}', b'{"do":"spawn","worker":1,"role":"student"}', b'{"do":"other"}', b"x" * 100_000,
    b'{"do":"sp\xc3wn"}',
    b'{"do":"spawn","worker":99999999999999999999999999,"role":"student"}',
]  # fmt: skip


@pytest.mark.parametrize("data", MALFORMED, ids=[str(number) for number in range(len(MALFORMED))])
@pytest.mark.parametrize("descriptors", [0, 1, 5])
def test_malformed_packets_end_their_connection_alone(
    loaded: OpenSession, zygote: LocalZygote, data: bytes, descriptors: int
) -> None:
    packet(zygote, data, b"{}", descriptors=descriptors)
    assert not zygote.ended(0)
    loaded.begin()
    assert loaded.student.processes()


def test_a_role_that_is_unknown_is_refused_and_nothing_else(zygote: LocalZygote) -> None:
    control = ZygoteClient(zygote.path)
    with pytest.raises(SandboxError, match="could not be sandboxed: there is no role teacher"):
        control.spawn("teacher", 30)
    worker, data, _ = control.spawn("student", 30)
    data.close()
    assert control.end(worker).cause == "crashed"
    control.close()


def test_students_are_refused_by_the_zygote(zygote: LocalZygote) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        os.chmod(zygote.path.parent, 0o755)
        os.chmod(zygote.path, 0o777)
        pid = os.fork()
        if pid == 0:
            os.setresuid(64001, 64001, 64001)
            connection.settimeout(10)
            connection.connect(str(zygote.path))
            os._exit(0 if connection.recv(100) == b"" else 1)
        assert os.waitpid(pid, 0)[1] == 0
        os.chmod(zygote.path.parent, 0o700)


def test_the_end_of_a_connection_ends_its_workers(zygote: LocalZygote) -> None:
    control, other = ZygoteClient(zygote.path), ZygoteClient(zygote.path)
    _, data, _ = control.spawn("student", 30)
    _, spared, _ = other.spawn("student", 30)
    with data, spared:
        control.close()
        data.settimeout(10)
        assert data.recv(1) == b""
        spared.settimeout(0.2)
        with pytest.raises(TimeoutError):
            spared.recv(1)
    other.close()


def test_the_zygote_ends_with_its_supervisor_and_takes_its_workers_along() -> None:
    zygote = LocalZygote(LIMITS, secret=())
    zygote.wait_ready()
    pid, marker = zygote._process.pid, "87654.1234"
    with contextlib.suppress(InfrastructureError), open_session(zygote, INSIDE) as opened:
        opened.student.daemon(marker)
        assert until(lambda: running(marker) != [])
        zygote.close()
        assert zygote.ended(0) and running(marker) == []
        assert not [group for group in Path("/sys/fs/cgroup").glob(f"**/gradetape-{pid}-*")]
        assert not zygote.path.parent.exists()


def test_a_zygote_that_is_killed_is_nobodys_fault_and_cannot_be_hidden() -> None:
    job = Job(cells=(Cell(source=INSIDE),), reference=(), seed="s", limits=LIMITS)
    with started() as zygote, contextlib.closing(ZygoteClient(zygote.path)) as control:
        context = CheckContext(control, job)
        with contextlib.suppress(InfrastructureError), context.check("q::hidden::x", 20, loaded=True):
            names = context.student.names()
            assert names.processes()
            zygote._process.kill()
            with contextlib.suppress(Exception):  # a check may expect any exception
                while True:
                    names.processes()
            assert isinstance(context.budget.broken, InfrastructureError)


def test_without_isolation_the_layers_say_so() -> None:
    with started(isolation="none") as zygote, open_session(zygote, INSIDE) as opened:
        assert opened.student.exists(__file__)
        *isolation, compared = opened.session.report.layers
        assert set(isolation) <= {"rlimits", "memory", "processes", "cpu share"}
        assert compared in (FROM_OUTSIDE, BY_ITSELF)
        marker = "76543.2109"
        opened.student.daemon(marker)
        assert until(lambda: running(marker) != [])
        opened.session.close()
        assert until(lambda: running(marker) == [])


def test_a_course_that_students_code_can_read_is_refused() -> None:
    folder = Path(sys.prefix, "lib")
    with pytest.raises(SandboxError, match="Move it out"), LocalZygote(LIMITS, secret=(folder,)) as zygote:
        zygote.wait_ready()


def test_a_worker_whose_sandbox_fails_is_the_infrastructures_fault(zygote: LocalZygote) -> None:
    class Refusing(ZygoteClient):
        def spawn(self, role: str, timeout_s: float) -> Any:
            return super().spawn("teacher", timeout_s)

    control, budget = Refusing(zygote.path), CheckBudget()
    budget.begin(20)
    session = RemoteSession(control, STUDENT, (), LIMITS, budget)
    with pytest.raises(SandboxError):
        session.ready()
    assert isinstance(budget.broken, SandboxError) and budget.event is None
    control.close()
