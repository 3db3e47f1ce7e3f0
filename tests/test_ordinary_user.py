"""Grading as an ordinary user: in the user's own control groups, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from examples.hostile.delegation import NO_NAMESPACES, delegated, join, on_a_lesser_machine, open_to_others
from tests.refusing import NO_LANDLOCK, mask_proc, open_folder

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

NOBODY = 65534
SCRIPT = Path(__file__).with_name("verdicts") / "as_user.py"


@pytest.fixture
def secret() -> Iterator[Path]:
    """A file that everybody could read without the sandbox."""
    with open_folder() as folder:
        (folder / "course").mkdir(mode=0o755)
        (folder / "course" / "seed").write_text("the secret of the course")
        (folder / "tmp").mkdir()
        os.chmod(folder / "tmp", 0o777)
        yield folder / "course"


def run(
    secret: Path, groups: tuple[Path, ...], *rules: tuple[Any, ...], prepare: Callable[[], None] = open_to_others
) -> subprocess.CompletedProcess[str]:
    """The script as an ordinary user, whose session is in these groups."""
    return on_a_lesser_machine(
        lambda: subprocess.run(
            [sys.executable, str(SCRIPT), str(secret)], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
            env={"TMPDIR": str(secret.parent / "tmp")}, preexec_fn=partial(join, groups), capture_output=True,
            text=True, timeout=120, check=False,
        ),
        *rules,
        prepare=prepare,
    )  # fmt: skip


def found_by(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = msgspec.json.decode(done.stdout.splitlines()[-1])
    assert found["read"] == "" and found["reached"] is False and found["capabilities"] == 0
    assert found["signals"] == found["limits"] == "refused" and found["processes"] == ["", ""]
    assert found["changes"] == [] and found["changed"] == [0o640, 1000.0]
    return found


def test_an_ordinary_user_with_control_groups_gets_every_layer(secret: Path) -> None:
    with delegated(NOBODY) as groups:
        found = found_by(run(secret, groups))
        left = [folder for group in groups for folder in group.glob("*/")]
    assert {"mount", "pid", "network", "user", "seccomp", "memory", "processes"} <= set(found["layers"])
    assert left == []


def test_in_a_container_that_masks_proc_its_processes_stay_hidden(secret: Path) -> None:
    with delegated(NOBODY) as groups:
        found = found_by(run(secret, groups, prepare=masked))
    assert {"mount", "pid", "landlock"} <= set(found["layers"])


def test_in_a_container_that_masks_proc_landlock_is_required(secret: Path) -> None:
    with delegated(NOBODY) as groups:
        done = run(secret, groups, *NO_LANDLOCK, prepare=masked)
    assert done.returncode == 1 and "no isolation of /proc" in done.stderr and "unmask=ALL" in done.stderr


def masked() -> None:
    open_to_others()
    mask_proc()


def test_an_ordinary_user_without_groups_is_shown_how_to_get_them(secret: Path) -> None:
    done = run(secret, ())
    assert done.returncode == 1 and "no limit on a worker's total memory is available" in done.stderr
    assert "systemd-run --user --scope -p Delegate=yes" in done.stderr


def test_an_ordinary_user_without_namespaces_leans_on_landlock(secret: Path) -> None:
    with delegated(NOBODY) as groups:
        found = found_by(run(secret, groups, *NO_NAMESPACES))
    assert {"plain", "landlock scopes", "seccomp", "memory"} <= set(found["layers"])
    assert "uid" not in found["layers"]
