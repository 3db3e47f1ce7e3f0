"""Shares on a real Slurm cluster of one machine, with the scripts of the documentation; the engine runs nothing."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gradetape.gradebook import Gradebook
from tests.course import DOUBLE, HALVE, notebook, tiny, write_files
from tests.slurm_cluster import cluster, skip_where_there_is_none

ROOT = Path(__file__).parents[1]
CPUS = 128  # all sixteen tasks of eight processors at the same time
TASKS_S = 900
CELLS = {
    "ada": (DOUBLE, HALVE), "bob": (DOUBLE,), "cleo": ("x = 1",), "dan": (DOUBLE, HALVE), "eve": ("raise SystemExit",),
    **{f"s{number}": (DOUBLE, HALVE, f"x = {number}") for number in range(20)},
}  # fmt: skip


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of Slurm's commands on a cluster with the partition `cpu`."""
    skip_where_there_is_none()
    with cluster(tmp_path_factory.mktemp("slurm"), CPUS) as environment:
        yield environment


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with submissions, and the script that makes `gradetape` a command of its jobs."""
    program = tmp_path / "bin" / "gradetape"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m tests.engines.pretending "$@"\n')
    program.chmod(stat.S_IRWXU)
    texts = {f"submissions/{name}.ipynb": notebook(*cells) for name, cells in CELLS.items()}
    texts["submissions/broken.ipynb"] = "{"
    texts["env.sh"] = f"PATH={program.parent}:$PATH\n"
    return write_files(tiny(tmp_path / "course"), texts)


def run(course: Path, command: str, slurm: Mapping[str, str] = os.environ) -> str:
    """What a command line of the documentation prints in the course's folder, after `source env.sh`."""
    done = subprocess.run(
        ["/bin/bash", "-c", f"source env.sh; {command}"], cwd=course, env=os.environ | slurm, capture_output=True,
        text=True, timeout=TASKS_S, check=False,
    )  # fmt: skip
    logs = "".join(path.read_text() for path in course.glob("gradetape-*.log"))
    # 1: broken.ipynb cannot be read, which the command names
    assert done.returncode in (0, 1), f"{command}: {done.stdout}{done.stderr}{logs}"
    return done.stdout + done.stderr


def documented(words: str) -> str:
    """The block of the page on clusters that contains these words."""
    page = (ROOT / "docs" / "cluster.md").read_text()
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    [block] = [text for text in blocks if words in text]
    return str(block)


def graded(course: Path) -> dict[str, tuple[object, ...]]:
    """What each student got, without the times at which it was measured."""
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        grades = {
            each.student: (
                each.status, each.key, each.points, [(r.check.id, r.verdict, r.points, r.message) for r in each.results]
            )
            for each in book.latest("tiny")
        }  # fmt: skip
        return {**grades, **{each.student: (each.sha256, each.reason) for each in book.unreadable("tiny")}}


def dump(course: Path) -> list[str]:
    """Every row of the course's gradebook."""
    with sqlite3.connect(course / "results" / "gradebook.sqlite") as connection:
        return list(connection.iterdump())


def in_one_batch(course: Path) -> dict[str, tuple[object, ...]]:
    """What the same submissions get without shares."""
    other = shutil.copytree(course, course.with_name("other"), ignore=shutil.ignore_patterns("results", "gradetape-*"))
    run(other, "gradetape grade submissions/")
    return graded(other)


@pytest.mark.slow
def test_the_script_of_the_documentation_grades_in_sixteen_shares(course: Path, slurm: Mapping[str, str]) -> None:
    (course / "grade.sbatch").write_text(documented("#SBATCH --array"))
    submit, merge, look = documented("--wait grade.sbatch").splitlines()
    assert submit.startswith("sbatch ") and merge.startswith("gradetape merge ")
    run(course, submit, slurm)
    assert len(list((course / "results" / "shards").iterdir())) == 16
    run(course, merge)
    assert graded(course).keys() == {*CELLS, "broken"} and graded(course) == in_one_batch(course)
    assert f"nothing to run: {len(CELLS)} submissions graded before" in run(course, look)
    before = dump(course)
    run(course, merge)
    assert dump(course) == before, "merging twice changes nothing"


@pytest.mark.slow
def test_submit_sh_grades_and_merges_with_real_slurm(course: Path, slurm: Mapping[str, str]) -> None:
    variables = f'GRADETAPE_SBATCH="--partition=cpu --wait" GRADETAPE_ENV={course}/env.sh'
    (course / "submissions" / "broken.ipynb").unlink()  # its task would fail, and --wait ends with that
    run(course, f"{variables} bash {ROOT}/deploy/slurm/submit.sh submissions/ 3", slurm)
    assert graded(course) == in_one_batch(course)
    [log] = course.glob("gradetape-merge-*.log")
    assert f"nothing to run: {len(CELLS)} submissions graded before" in log.read_text()
