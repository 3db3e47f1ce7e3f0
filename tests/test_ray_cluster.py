"""The engine for Ray with the real Ray: a simulated cluster of a head and three nodes on this machine.

These start many processes. What is true of any cluster is in `test_ray.py`.
"""

from __future__ import annotations

import json
import secrets
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from examples.hostile.corpus import entries, manifest, write
from examples.hostile.findings import Secrets
from examples.hostile.trial import _course as hostile_course
from gradetape.errors import EngineError
from gradetape.gradebook import Gradebook
from tests.course import command, tiny
from tests.engines.passing import RIGHT
from tests.leftovers import until
from tests.ray_cluster import Simulated, graders, simulated, variables_of

pytest.importorskip("ray", reason="gradetape[ray] is not installed")
joining = pytest.importorskip("gradetape.engine.ray.joining", reason="gradetape[ray] is not installed")
ray_nodes = pytest.importorskip("tests.engines.ray_nodes", reason="gradetape[ray] is not installed")

pytestmark = pytest.mark.slow
TINY = ("in", "--assignment", "tiny")
# Those that look for a cluster or for what a grader has on its machine, those that use up a limit, and one that cheats.
HOSTILE = (
    "joins_the_cluster", "reads_the_environment", "reads_likely_paths", "opens_sockets", "loops_in_a_cell",
    "leaves_a_daemon", "patches_numpy",
)  # fmt: skip
SLOWLY = "import time\ntime.sleep(4)\ndef double(x):\n    return x + x\n\ndef halve(x):\n    return x * 0.5\n"
WRONG = "def double(x):\n    return 3 * x\n\ndef halve(x):\n    return x * 0.5\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Simulated]:
    """A cluster of three nodes for all tests here; the last of them ends two of the nodes."""
    with simulated(3, secrets.token_hex(32)) as made:
        yield made


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tiny(tmp_path / "course")
    (root / "in").mkdir()
    return root


def hand_in(course: Path, count: int, text: str = SLOWLY) -> None:
    for number in range(count):
        (course / "in" / f"s{number}.py").write_text(f"{text}# {number}\n")


def verdicts(run: str) -> dict[str, Any]:
    """What `--json` says of each student's checks, without times."""
    return {
        each["student"]: {
            name: [(check["name"], check["verdict"], check["points"]) for check in question["checks"]]
            for name, question in each["questions"].items()
        }
        for each in json.loads(run)["submissions"]
    }


def test_ray_starts_on_this_machine_where_no_address_is_given(course: Path) -> None:
    hand_in(course, 2)
    with tempfile.TemporaryDirectory(prefix="rt-", dir="/tmp") as made:
        verb = command("grade", *TINY, "--engine", "ray", "--json", "--workers", "1")
        run = subprocess.run(verb, cwd=course, env=variables_of(Path(made), None), capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert "Ray judges 1 at the same time on" in run.stderr
        assert [each["points"] for each in json.loads(run.stdout)["submissions"]] == [5, 5]
        assert until(lambda: not graders(Path(made)), 60), graders(Path(made))
        assert list(Path(made).glob("gradetape-*")) == []


def refused(cluster: Simulated, course: Path, **other: str) -> str:
    """The error of a grader that cannot join."""
    run = Simulated(cluster.address, [], {**cluster.variables, **other}, cluster.folder).grade(course, *TINY)
    _, errors = run.communicate()
    assert run.returncode == (2 if "://" in cluster.address else 1) and "Traceback" not in errors, errors
    return errors


ATTACK = """
import glob, os, socket, sys
found = [name for name in os.environ if name.startswith("RAY_")]
for path in PATHS:
    found += glob.glob(path)
    try:
        os.lstat(path)
        found.append(path)
    except OSError:
        pass
try:
    socket.create_connection(("HOST", PORT), 1).close()
    found.append("the cluster")
except OSError:
    pass
def double(x):
    return x + x if not found else found
def halve(x):
    return x * 0.5
"""


def attack(cluster: Simulated) -> str:
    """A submission that knows where everything is, and answers rightly only if it reaches nothing of it."""
    host, _, port = cluster.address.rpartition(":")
    folder = cluster.folder
    paths = [str(folder / name) for name in ("token", "ray", "ray/*/sockets/*", "gradetape-*")]
    text = ATTACK.replace("PATHS", repr([str(folder), *paths, "/dev/shm/plasma*", "/tmp/ray"]))
    return text.replace("HOST", host).replace("PORT", port)


def test_a_cluster_is_joined_only_with_its_token(course: Path, cluster: Simulated) -> None:
    hand_in(course, 1)
    other = cluster.folder / "other"
    other.write_text(secrets.token_hex(32))
    assert "refuses the token of this user" in refused(cluster, course, RAY_AUTH_TOKEN_PATH=str(other))
    missing = refused(cluster, course, RAY_AUTH_TOKEN_PATH="", RAY_AUTH_TOKEN="")
    assert "refuses the token of this user. Copy the cluster's token" in missing


def test_no_submission_reaches_the_cluster(course: Path, cluster: Simulated) -> None:
    hand_in(course, 1, RIGHT)
    (course / "in" / "attack.py").write_text(attack(cluster))
    found = cluster.graded(course, *TINY)
    assert {each["student"]: each["points"] for each in json.loads(found)["submissions"]} == {"s0": 5, "attack": 5}


def here(course: Path, *arguments: str | Path) -> str:
    """The JSON of the same batch on this machine, with results of its own."""
    verb = command("grade", *arguments, "--json", "--out", course / "local")
    return subprocess.run(verb, cwd=course, stdout=subprocess.PIPE, text=True, check=False).stdout


def test_hostile_submissions_get_the_verdicts_of_one_machine_and_find_nothing(
    tmp_path: Path, cluster: Simulated
) -> None:
    drawn, made = Secrets.drawn(), entries(manifest(), HOSTILE)
    course = hostile_course(tmp_path / "course", drawn)
    write(made, course / "in")
    found = cluster.graded(course, "in", "--assignment", "target")
    assert verdicts(found) == verdicts(here(course, "in", "--assignment", "target"))
    assert verdicts(found).keys() == {entry.id for entry in made}
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        records = [msgspec.structs.replace(grade, cells=()) for grade in book.latest("target")]
    printed = msgspec.json.encode(records).decode()
    assert len(records) == len(made)
    assert [word for word in (drawn.canary, drawn.seed, "BREACH:") if word in printed + found] == []


def test_what_ray_says_is_shown_with_the_next_step() -> None:
    def fails() -> None:
        raise RuntimeError("Version mismatch: the cluster\n    was started with 2.59")

    with pytest.raises(EngineError) as error:
        joining._init(fails, "10.0.0.1:6379")
    said = "Version mismatch: the cluster was started with 2.59. Run gradetape on a machine of the cluster"
    assert str(error.value).startswith(f"This machine cannot join the Ray cluster at 10.0.0.1:6379: {said}")
    with pytest.raises(EngineError, match="Ray could not be started on this machine: Version mismatch"):
        joining._init(fails, None)


def test_a_cluster_that_lets_anyone_in_is_refused(course: Path) -> None:
    hand_in(course, 1)
    with simulated(1, None) as cluster:
        assert "lets anyone in who can reach it, and a program in it can read the hidden" in refused(cluster, course)


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("ray://head:10001", "The address of a Ray cluster is HOST:PORT, such as"),
        ("127.0.0.1:9", "No Ray cluster answers at 127.0.0.1:9: Connection refused"),
    ],
)
def test_a_wrong_address_is_named(course: Path, tmp_path: Path, address: str, error: str) -> None:
    hand_in(course, 1)
    cluster = Simulated(address, [], variables_of(tmp_path, secrets.token_hex(32)), tmp_path)
    assert error in refused(cluster, course)


def test_what_listens_and_is_no_ray_is_named(course: Path, tmp_path: Path) -> None:
    hand_in(course, 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        cluster = Simulated(address, [], variables_of(tmp_path, secrets.token_hex(32)), tmp_path)
        assert f"What listens at {address} does not answer as Ray" in refused(cluster, course)


def test_a_killed_and_a_frozen_node_lose_no_submission(course: Path, cluster: Simulated) -> None:
    """And what was judged gets the verdicts that it gets on this machine; nothing is left anywhere."""
    hand_in(course, 9)
    (course / "in" / "wrong.py").write_text(WRONG)
    run = cluster.grade(course, *TINY, "--json")
    assert run.stdout and run.stderr
    lines: list[str] = []
    for line in run.stderr:
        lines.append(line)
        if line.startswith("2/10 "):
            break
    reader = threading.Thread(target=lambda: lines.extend(run.stderr or ()))
    reader.start()
    ray_nodes.send(cluster.pids[0], signal.SIGKILL)
    ray_nodes.send(cluster.pids[1], signal.SIGSTOP)
    found = run.stdout.read()
    assert run.wait(600) == 0 and found.startswith("{"), found[:2000] + "".join(lines)
    reader.join(10)
    run.stdout.close()
    run.stderr.close()
    assert verdicts(found) == verdicts(here(course, *TINY)) and len(verdicts(found)) == 10
    assert [each["status"] for each in json.loads(found)["submissions"]] == ["graded"] * 10
