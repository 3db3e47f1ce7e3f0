"""The folders where a grader creates control groups for its workers.

Version 1 and version 2 differ, and a machine has one of them. The order of the folders is tested on trees of plain
files; that a group with processes cannot enable controllers, on the kernel's own tree of version 2 if there is one. The
tests of the sandbox test that the limits hold.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradetape.errors import SandboxError
from gradetape.records import Limits
from gradetape.sandbox.groups import LEAF, MOUNTS, Groups, hand_down, own_paths, places, sweep

SCOPE = "/user.slice/user-1000.slice/run-1.scope"


def test_a_processes_groups_are_read_by_controller() -> None:
    text = f"8:pids:/a\n4:cpu,cpuacct:/b:c\n1:name=systemd:/d\n0::{SCOPE}\n"
    assert own_paths(text) == {"pids": "/a", "cpu": "/b:c", "cpuacct": "/b:c", "name=systemd": "/d", "": SCOPE}


def test_version_2_begins_at_the_root_and_goes_on_at_the_graders_own_group(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("memory pids")
    assert list(places(tmp_path, {"": SCOPE})) == [[tmp_path], [tmp_path / SCOPE[1:]]]


def test_a_grader_that_starts_in_a_leaf_uses_the_leafs_parent(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("memory pids")
    assert list(places(tmp_path, {"": f"{SCOPE}/{LEAF}"}))[1] == [tmp_path / SCOPE[1:]]


def test_version_1_uses_the_graders_own_folders_and_can_do_without_those_of_cpu_time(tmp_path: Path) -> None:
    for name in ("memory", "pids", "cpuacct", "cpu"):
        (tmp_path / name / "own").mkdir(parents=True)
    found = list(places(tmp_path, {"memory": "/own", "pids": "/own", "cpuacct": "/elsewhere", "cpu": "/own", "": "/"}))
    needed = [tmp_path / "memory" / "own", tmp_path / "pids" / "own"]
    assert found == [[*needed, tmp_path / "cpuacct", tmp_path / "cpu" / "own"], [*needed, tmp_path / "cpuacct"], needed]


def test_two_controllers_in_one_place_are_one_folder(tmp_path: Path) -> None:
    for name in ("memory", "pids", "cpu,cpuacct"):
        (tmp_path / name).mkdir()
    for name in ("cpu", "cpuacct"):
        (tmp_path / name).symlink_to("cpu,cpuacct")
    assert next(places(tmp_path, {}))[2:] == [tmp_path / "cpu,cpuacct"]


def test_in_a_container_the_engines_limit_takes_the_groups_place(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1073741824\n")
    (tmp_path / "memory.events").write_text("oom 5\noom_kill 3\n")
    groups = Groups(Limits(), tmp_path)
    groups.require()
    assert groups.layers == ("memory of the container",) and not groups.each
    group = groups.make()
    assert group is not None and group.oom_kills == 0
    (tmp_path / "memory.events").write_text("oom 6\noom_kill 4\n")
    assert group.oom_kills == 1


def test_a_group_that_cannot_be_created_is_an_error_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = Groups(Limits())
    if not groups.each:
        pytest.skip("this grader cannot create control groups")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    try:
        monkeypatch.setattr(Path, "mkdir", full)
        with pytest.raises(SandboxError, match=r"a control group could not be created: .* use --isolation container"):
            groups.make()
    finally:
        groups.remove()


@pytest.mark.parametrize("limit", ["max", None])
def test_no_limit_is_no_limit(tmp_path: Path, limit: str | None) -> None:
    if limit:
        (tmp_path / "memory.max").write_text(limit)
    groups = Groups(Limits(), tmp_path)
    assert not groups.available and groups.make() is None
    with pytest.raises(SandboxError, match="no limit on a worker's total memory is available"):
        groups.require()


@pytest.fixture
def busy() -> Iterator[tuple[Path, str, int]]:
    """A group of version 2 with a process in it, and a controller that it could enable."""
    unified = MOUNTS if (MOUNTS / "cgroup.controllers").exists() else MOUNTS / "unified"
    controllers = (unified / "cgroup.controllers").read_text().split() if unified.is_dir() else []
    if os.geteuid() != 0 or not set(controllers) & {"memory", "pids", "hugetlb", "io"}:
        pytest.skip("there is no control group of version 2 here on which root could test this")
    name = next(name for name in ("pids", "memory", "hugetlb", "io") if name in controllers)
    control, group = unified / "cgroup.subtree_control", unified / f"busy-{os.getpid()}"
    before = control.read_text().split()
    control.write_text(f"+{name}")
    group.mkdir()
    process = subprocess.Popen(["sleep", "60"])
    (group / "cgroup.procs").write_text(str(process.pid))
    yield group, name, process.pid
    process.send_signal(signal.SIGKILL)
    process.wait()
    for folder in (*group.glob("*/"), group):
        folder.rmdir()
    if name not in before:
        control.write_text(f"-{name}")


def test_processes_are_moved_out_of_a_group_that_enables_controllers(busy: tuple[Path, str, int]) -> None:
    group, controller, pid = busy
    with pytest.raises(OSError, match="busy"):
        (group / "cgroup.subtree_control").write_text(f"+{controller}")
    hand_down(group, (controller,))
    assert (group / "cgroup.procs").read_text() == ""
    assert (group / LEAF / "cgroup.procs").read_text().split() == [str(pid)]
    assert (group / "cgroup.subtree_control").read_text().split() == [controller]


def test_only_groups_of_graders_that_have_ended_are_removed() -> None:
    groups = Groups(Limits())
    if not groups.each:
        pytest.skip("no control groups can be created here")
    (folder, *_) = (folder for folder in MOUNTS.glob(f"**/gradetape-{os.getpid()}-*") if folder.is_dir())
    left = folder.with_name("gradetape-1-left")  # process 1 never creates such a group
    left.mkdir()
    sweep()
    assert folder.is_dir() and not left.exists()
    groups.remove()
    assert not folder.exists()
