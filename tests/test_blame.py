"""What something else did to a worker is never its submission's verdict."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from examples.hostile.delegation import NO_NAMESPACES, on_a_lesser_machine, open_to_others
from gradetape import doctor
from gradetape.errors import Flooded, Gone, Overdue
from gradetape.judge.verdicts import result_of, verdict_of
from gradetape.records import Check, Limits, Verdict
from gradetape.remote.budget import JUDGE_MB, CheckBudget, bytes_for
from gradetape.remote.connection import WorkerConnection
from gradetape.runtime.launch import LocalZygote
from gradetape.sandbox.groups import MOUNTS, Groups, OwnGroup, SharedGroup, memory_around, own_paths
from gradetape.sandbox.reports import Ended, Reader
from gradetape.wire.channel import Channel
from gradetape.wire.operations import Operation
from gradetape.worker.process import WorkerProcess
from tests.processes import until
from tests.refusing import open_folder
from tests.remote_sessions import LIMITS, open_session, started

_MB = 1 << 20
_STORY = """
import sys
from gradetape.errors import GradetapeError, WorkerEvent
from gradetape.records import Limits
from gradetape.runtime.launch import LocalZygote
from tests.remote_sessions import open_session, started

CODE = "import numpy as np\\ndef grow(mb):\\n    return float(np.ones(mb << 17).sum())\\ndef small():\\n    return 1\\n"
limits = Limits(memory_mb=int(sys.argv[1]), load_s=120, cell_s=60, check_s=120)
with started(limits=limits) as zygote:
    try:
        with open_session(zygote, CODE, limits=limits) as opened:
            opened.begin(120)
            assert opened.student.small() == 1
            opened.student.grow(1800)
    except GradetapeError as error:
        print("lost:", error)
    except WorkerEvent as event:
        print("event:", event)
"""


def _old(*, limit: int, most: int) -> dict[str, str]:
    return {"memory.limit_in_bytes": f"{limit}\n", "memory.max_usage_in_bytes": f"{most}\n"}


@pytest.fixture
def crowded_machine() -> Iterator[list[Path]]:
    """Control groups around a whole grader that together may use 1,600 MiB."""
    own = own_paths(Path("/proc/self/cgroup").read_text())
    old = (MOUNTS / "memory").is_dir()
    place = MOUNTS / "memory" / own.get("memory", "/")[1:] if old else MOUNTS / own.get("", "/")[1:]
    folder = (place if place.is_dir() else MOUNTS / "memory") / f"crowded-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(1600 * _MB))
    except OSError:
        pytest.skip("no control group can be made here around the grader")
    yield [folder]
    OwnGroup([folder]).remove(20)


def _story(groups: list[Path], memory_mb: int) -> str:
    def join() -> None:
        OwnGroup(groups).join()

    return subprocess.run(
        [sys.executable, "-c", _STORY, str(memory_mb)], cwd=Path(__file__).parents[1], capture_output=True, text=True,
        preexec_fn=join, check=True, timeout=300,
    ).stdout  # fmt: skip


def test_a_worker_killed_below_its_own_limit_is_lost_by_the_machine(crowded_machine: list[Path]) -> None:
    told = _story(crowded_machine, memory_mb=4096)
    assert told.startswith("lost: a worker was killed for memory before it had used its own 4096 MiB: the machine, or")
    assert "Use fewer workers, or a smaller limits.memory_mb" in told


def test_a_worker_killed_at_its_own_limit_is_out_of_memory(crowded_machine: list[Path]) -> None:
    assert _story(crowded_machine, memory_mb=700).startswith("event: memory: ")


@pytest.mark.parametrize(
    ("files", "own"),
    [
        ({"memory.events": "max 9\noom 0\noom_kill 2\n"}, False),
        ({"memory.events": "max 9\noom 1\noom_kill 2\n"}, True),
        ({"memory.oom_control": "oom_kill 1\n", **_old(limit=800 * _MB, most=799 * _MB)}, True),
        ({"memory.oom_control": "oom_kill 1\n", **_old(limit=800 * _MB, most=700 * _MB)}, False),
    ],
)
def test_the_kernel_says_whose_limit_it_was(tmp_path: Path, files: dict[str, str], own: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    group = OwnGroup([tmp_path])
    assert group.oom_kills and group.exceeded(alone=False) is own


@pytest.mark.parametrize(
    ("crowded", "killed", "doomed", "expected"),
    [
        (False, True, False, (1, False)),  # alone with the container's memory: it used that up itself
        (True, True, False, (1, True)),  # one of several: nobody can tell, so it is judged again, alone
        (True, False, False, (0, False)),  # it ended by itself, and somebody else was killed
        (True, True, True, (0, False)),  # the judge ended it
    ],
)
def test_where_workers_share_a_limit_the_blame_needs_solitude(
    tmp_path: Path, crowded: bool, killed: bool, doomed: bool, expected: tuple[int, bool]
) -> None:
    (tmp_path / "memory.max").write_text("1073741824\n")
    (tmp_path / "memory.events").write_text("oom_kill 0\n")
    group = Groups(Limits(), tmp_path).make()
    assert isinstance(group, SharedGroup)
    (tmp_path / "memory.events").write_text("oom_kill 1\n")
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    worker = WorkerProcess(1, pid, 64001, Reader(socket.socket()), group, None, 0)
    worker.crowded = crowded
    worker.note(Ended(9 if killed else 0, 1.0, 100))
    if doomed:
        worker.kill()
    end = worker.reap()
    assert (end.oom_kills, end.outside) == expected


FILLS = {
    "files": """
for number in range(40):
    with open(f"full-{number}", "wb") as file:
        for _ in range(16):
            file.write(bytes(1 << 20))
            time.sleep(0.005)
""",
    "files without a name": """
kept = []
for number in range(40):
    kept.append(open(f"full-{number}", "wb"))
    os.unlink(f"full-{number}")
    for _ in range(16):
        kept[-1].write(bytes(1 << 20))
        time.sleep(0.005)
""",
    "files that are only mapped": """
kept = []
for number in range(40):
    with open(f"full-{number}", "w+b") as file:
        file.truncate(16 << 20)
        kept.append(mmap.mmap(file.fileno(), 16 << 20))
    os.unlink(f"full-{number}")
    for at in range(16):
        kept[-1][at << 20 : (at + 1) << 20] = bytes([1]) * (1 << 20)
        time.sleep(0.005)
""",
    "files on their way": """
one, other = socket.socketpair()
for number in range(40):
    file = open(f"full-{number}", "wb")
    os.unlink(f"full-{number}")
    for _ in range(16):
        file.write(bytes(1 << 20))
        time.sleep(0.005)
    socket.send_fds(one, [b"x"], [file.fileno()])
    file.close()
""",
    "files in a closed folder": """
os.mkdir("closed")
for number in range(40):
    os.chmod("closed", 0o700)
    file = open(f"closed/full-{number}", "wb")
    os.chmod("closed", 0)
    for _ in range(16):
        file.write(bytes(1 << 20))
        time.sleep(0.005)
    file.close()
""",
    "files deep below": """
for number in range(3000):
    os.mkdir("d")
    os.chdir("d")
for number in range(40):
    with open(f"full-{number}", "wb") as file:
        for _ in range(16):
            file.write(bytes(1 << 20))
            time.sleep(0.005)
""",
    "many files": """
for number in range(100_000):
    os.close(os.open(str(number), os.O_CREAT))
""",
}


@pytest.fixture(scope="module")
def without_tmpfs() -> Iterator[LocalZygote]:
    with (
        open_folder() as secret,
        on_a_lesser_machine(
            lambda: LocalZygote(LIMITS, secret=(secret,)), *NO_NAMESPACES, prepare=open_to_others
        ) as zygote,
    ):
        zygote.wait_ready()
        yield zygote


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take its namespaces away")
@pytest.mark.parametrize("way", FILLS)
def test_without_namespaces_a_worker_that_fills_the_disk_is_ended(without_tmpfs: LocalZygote, way: str) -> None:
    cell = f"import mmap, os, socket, time\n{FILLS[way]}\nprint('BREACH: wrote it all')\n"
    before, folders = _free(), private_folders()
    with open_session(without_tmpfs, cell, "def two():\n    return 2\n", limits=LIMITS) as opened:
        assert opened.student.two() == 2  # the submission goes on without the cell
        (event,) = [each for each in opened.session.report.events if each.cell == 0]
        assert event.kind == "quarantined"
        assert "it had written more files or more data than it may (limits.disk_mb)" in event.text
    assert until(lambda: private_folders() <= folders)  # nothing of it is left
    assert abs(_free() - before) < 400 * _MB


def private_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("gradetape-worker-*"))


def _free() -> int:
    return shutil.disk_usage(tempfile.gettempdir()).free


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take its namespaces away")
def test_without_namespaces_ordinary_files_are_no_reason_to_end_a_worker(without_tmpfs: LocalZygote) -> None:
    cell = """
import os, socket, tempfile, time
with tempfile.TemporaryDirectory() as folder:
    for number in range(200):
        with open(f"{folder}/{number}", "wb") as file:
            file.write(bytes(1 << 17))
one, other = socket.socketpair()
with tempfile.TemporaryFile() as file:
    file.write(bytes(30 << 20))
    socket.send_fds(one, [b"x"], [file.fileno()])
    time.sleep(1)
"""
    with open_session(without_tmpfs, cell, limits=LIMITS) as opened:
        opened.session.ready()
        assert opened.session.report.events == []


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started(secret=()) as found:
        yield found


LARGE = """
import numpy as np

def large():
    return np.zeros(60_000_000)

def right():
    return np.zeros(1_000_000)
"""


def test_a_reply_beyond_the_budget_is_refused_before_it_is_read(zygote: LocalZygote) -> None:
    with open_session(zygote, LARGE) as opened:
        opened.begin()
        opened.budget.allow_bytes(bytes_for(100))
        assert len(opened.student.right()) == 1_000_000 and opened.budget.sent_bytes > 8_000_000
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(Flooded) as caught:
            opened.student.large()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
        told = "Your code returned more data than this check accepts (16 MiB). Return what the question asks for, and"
        assert caught.value.cause == "memory" and caught.value.detail.startswith(told)
        opened.begin()
        opened.budget.allow_bytes(bytes_for(100))
        assert len(opened.student.right()) == 1_000_000  # the next check gets a fresh worker


def test_a_check_that_is_stopped_in_the_middle_of_a_reply_costs_the_next_one_nothing(
    zygote: LocalZygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise Overdue("the check's own code ran past its deadline")

    with open_session(zygote, LARGE) as opened:
        opened.begin()
        assert len(opened.student.right()) == 1_000_000
        with monkeypatch.context() as patch:
            patch.setattr(Channel, "receive_frame", stop)
            with pytest.raises(Overdue):
                opened.student.right()
        assert opened.budget.event is None, "what ran past its deadline is the check's own code"
        opened.begin()
        assert len(opened.student.right()) == 1_000_000


def test_a_check_that_needs_all_memory_leaves_none_of_it_in_use_for_the_next_one(zygote: LocalZygote) -> None:
    code = "hoard = []\ndef keep():\n    hoard.append(1)\n    raise MemoryError\ndef kept():\n    return len(hoard)"
    with open_session(zygote, code) as opened:
        opened.begin()
        with pytest.raises(Gone, match="memory: MemoryError"):
            opened.student.keep()
        with pytest.raises(Gone, match="memory: MemoryError"):
            opened.student.kept()
        opened.begin()
        assert opened.student.kept() == 0


def test_checks_that_need_all_memory_run_the_cells_again_only_a_few_times(zygote: LocalZygote) -> None:
    with open_session(zygote, "def keep():\n    raise MemoryError\ndef small():\n    return 1") as opened:
        workers = list[int]()
        for _ in range(6):
            opened.begin()
            with pytest.raises(Gone, match="memory: MemoryError"):
                opened.student.keep()
            opened.begin()
            assert opened.student.small() == 1
            workers.append(opened.session.ready().number)
        assert len(set(workers[:3])) == 3 and len(set(workers[2:])) == 1


def test_a_worker_that_ends_when_it_is_to_undo_settings_does_not_end_the_next_one(
    zygote: LocalZygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked = WorkerConnection.ask, list[int]()

    def dying(self: WorkerConnection, operation: Operation, *args: object) -> object:
        if operation is Operation.REST:
            asked.append(self.number)
            assert len(asked) == 1, "it was asked again"
            raise opened.session.lose("crashed", "it ended")
        return ask(self, operation, *args)

    monkeypatch.setattr(WorkerConnection, "ask", dying)
    with open_session(zygote, "def keep():\n    raise MemoryError\ndef small():\n    return 1") as opened:
        opened.begin()
        with pytest.raises(Gone, match="memory: MemoryError"):
            opened.student.keep()
        opened.begin()
        assert opened.student.small() == 1 and len(asked) == 1


def test_bytes_are_counted_for_all_workers_with_student_code_together(zygote: LocalZygote) -> None:
    with open_session(zygote, LARGE) as opened:
        opened.begin()
        opened.budget.allow_bytes(20_000_000)
        opened.student.right(), opened.student.right()
        with pytest.raises(Flooded):
            opened.student.right()


def test_a_cell_sends_no_more_than_its_own_budget(zygote: LocalZygote) -> None:
    flood = """
import os, socket, struct
data = socket.socket(fileno=os.dup(100))
data.sendall(struct.pack("<IHQ", 1, 1, 400 << 20))
"""
    with open_session(zygote, flood, "def two():\n    return 2\n") as opened:
        assert opened.student.two() == 2
        events = [event for event in opened.session.report.events if event.cell == 0]
        assert [event.kind for event in events] == ["quarantined"] and "memory" in events[0].text


@pytest.mark.parametrize(("reference", "most"), [(None, 512), (0, 16), (1 << 20, 16), (10 << 20, 40), (300 << 20, 512)])
def test_a_budget_of_bytes_follows_the_reference(reference: int | None, most: int) -> None:
    assert bytes_for(reference) == most << 20


def test_the_checks_own_memory_error_is_the_students_only_after_a_value() -> None:
    budget = CheckBudget()
    assert verdict_of(MemoryError(), budget, trusted=False)[0] is Verdict.FAULT
    budget.mark_received()
    assert verdict_of(MemoryError(), budget, trusted=False)[0] is Verdict.MEMORY
    assert verdict_of(MemoryError(), budget, trusted=True)[0] is Verdict.FAULT


@pytest.mark.parametrize("public", [True, False])
def test_the_student_reads_why_a_reply_was_refused(public: bool) -> None:
    check = Check(question="q01_x", name="test_x", public=public, title="T.", hint="", points=1)
    budget = CheckBudget()
    budget.note(Flooded(16 << 20))
    result = result_of(check, None, budget, 0.1)
    assert (result.verdict, result.points) == (Verdict.MEMORY, 0.0)
    assert result.message.startswith("Your code returned more data than this check accepts (16 MiB).")


def test_doctor_counts_the_judge_of_each_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    config = doctor.Config(workers=2)
    needed = 2 * (config.limits.memory_mb + JUDGE_MB)
    monkeypatch.setattr(doctor, "_around", lambda: needed << 20)
    monkeypatch.setattr(os, "sysconf", lambda name: 1 << 40 if name == "SC_PHYS_PAGES" else 1)
    found = doctor.memory(config)
    assert found.state is doctor.State.OK and f"and at most {JUDGE_MB} MiB for the judge of each" in found.found
    monkeypatch.setattr(doctor, "_around", lambda: (needed << 20) - 1)
    short = doctor.memory(config)
    assert short.state is doctor.State.ABSENT and "set workers: 1 or a smaller limits.memory_mb" in short.remedy


def test_the_memory_around_a_grader_is_the_smallest_limit_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_paths(Path("/proc/self/cgroup").read_text())
    inner = tmp_path / own.get("", "/").lstrip("/")
    inner.mkdir(parents=True, exist_ok=True)
    assert memory_around(tmp_path) == sys.maxsize
    (tmp_path / "memory.max").write_text("5368709120\n")
    assert memory_around(tmp_path) == 5368709120


NEEDLES = """
import re
# Not the words themselves, which would be found in this code.
HIDDEN = re.compile(rb"{}[x]yz|{}[x]yz")
found = []
import ctypes
with open("/proc/self/maps") as file:
    spans = [line.split() for line in file if line.split()[1].startswith("rw") and "[v" not in line]
for span, *_ in spans:
    start, stop = (int(edge, 16) for edge in span.split("-"))
    for at in range(start, stop, 4 << 20):
        try:
            found += HIDDEN.findall(ctypes.string_at(at, min(4 << 20, stop - at)))
        except Exception:
            pass
print("found", len(found))
"""


def test_no_worker_inherits_the_paths_of_hidden_folders(tmp_path: Path) -> None:
    secret = tuple(tmp_path / f"hidden-{name}-xyz" for name in ("autograder", "solutions"))
    for folder in secret:
        folder.mkdir()
    cell = NEEDLES.format("hidden-autograder-", "hidden-solutions-")
    with started(secret=secret) as zygote, open_session(zygote, cell, limits=replace(LIMITS, cell_s=60)) as opened:
        opened.session.ready()
        (event,) = opened.session.report.events
        assert event.text.strip() == "found 0"
