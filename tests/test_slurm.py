"""The scripts for Slurm, with a stand-in for `sbatch` that runs each job at once, and an engine that runs nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gradetape.gradebook import Gradebook
from tests.course import DOUBLE, HALVE, notebook, tiny, write_files

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "deploy" / "slurm"
BASH = shutil.which("bash") or "/bin/bash"

# What Slurm does with a script: a copy of it runs in the working directory, once for each number of the array.
SBATCH = """\
import itertools, json, os, shutil, subprocess, sys, tempfile
options = list(itertools.takewhile(lambda word: word.startswith("--"), sys.argv[1:]))
script, *arguments = sys.argv[1 + len(options) :]
named = dict(word[2:].partition("=")[::2] for word in options)
with open(os.environ["STAND_IN_LOG"], "a") as log:
    print(json.dumps(sys.argv[1:]), file=log)
spool = shutil.copy(script, os.path.join(tempfile.mkdtemp(), "slurm_script"))
numbers = [None]
if array := named.get("array"):
    first, _, last = array.partition("-")
    numbers = list(range(int(first), int(last or first) + 1)) if "," not in array else list(map(int, array.split(",")))
settings = dict(pair.split("=") for pair in named.get("export", "ALL").split(",") if "=" in pair)
for number in numbers:
    task = {"SLURM_JOB_ID": "41", "SLURM_CPUS_PER_TASK": "2"}
    if number is not None:
        task |= {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": str(len(numbers))}
    with open(f"job-{number or 'merge'}.log", "w") as log:
        done = subprocess.run(["bash", spool, *arguments], env=os.environ | settings | task, stdout=log, stderr=log)
        print("status", done.returncode, file=log)
print("41;cluster")
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with submissions; `gradetape` and `sbatch` are on the path."""
    programs = write_files(tmp_path / "bin", {"sbatch.py": SBATCH})
    for name, command in (("sbatch", f"{programs}/sbatch.py"), ("gradetape", "-m tests.engines.pretending")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n')
        (programs / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("STAND_IN_LOG", str(tmp_path / "sbatch.log"))
    for name in [name for name in os.environ if name.startswith("SLURM_")] + ["SHARES"]:
        monkeypatch.delenv(name, raising=False)
    texts = {f"in/s{number}.ipynb": notebook(DOUBLE, HALVE, f"x = {number}") for number in range(7)}
    return write_files(tiny(tmp_path / "course"), texts)


def bash(course: Path, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASH, SCRIPTS / script, *arguments], cwd=course, env=os.environ | variables, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


def log(course: Path, name: str) -> str:
    return (course / f"job-{name}.log").read_text()


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.iterdir()))
def test_every_script_is_bash_and_says_what_it_is_for(script: str) -> None:
    assert subprocess.run([BASH, "-n", SCRIPTS / script], check=False).returncode == 0
    text = (SCRIPTS / script).read_text()
    assert text.startswith("#!/bin/bash\n") and "set -euo pipefail" in text
    options = re.findall(r"^#SBATCH (.*)$", text, re.MULTILINE)
    assert all(re.fullmatch(r"--[a-z-]+(=\S+)?", option) for option in options)
    assert bool(options) is script.endswith(".sbatch"), "Slurm reads options only before the first command"
    assert text.rfind("#SBATCH") < text.index("set -euo")


def test_one_command_grades_in_shares_and_merges(course: Path, tmp_path: Path) -> None:
    done = bash(course, "submit.sh", "in", "3", "--assignment", "tiny", GRADETAPE_SBATCH="--partition=gpu --account=ml")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "grading: job 41, shares 1 to 3; merging: job 41, when all of them have ended\n"
    grading, merging = map(json.loads, (tmp_path / "sbatch.log").read_text().splitlines())
    assert {"--array=1-3", "--partition=gpu", "--account=ml"} <= set(grading)
    assert {"--dependency=afterany:41", "--partition=gpu", "--account=ml"} <= set(merging)
    assert "nothing to run: 7 submissions graded before" in log(course, "merge")
    assert log(course, "merge").endswith("status 0\n")
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        assert {grade.student for grade in book.latest("tiny")} == {f"s{number}" for number in range(7)}
    assert (course / "results" / "index.html").is_file()


def test_a_share_that_is_missing_is_named_and_can_be_graded_alone(course: Path) -> None:
    for share in ("1", "3"):
        alone = bash(course, "grade.sbatch", "in", SLURM_ARRAY_TASK_ID=share, SHARES="3", SLURM_CPUS_PER_TASK="2")
        assert alone.returncode == 0, alone.stderr
        assert f"share {share}/3" in alone.stderr
    merged = bash(course, "merge.sbatch", "in", SHARES="3")
    assert merged.returncode == 1
    assert "nothing was graded in these shares: 2. Look at their logs" in merged.stderr
    assert "sbatch --array=2 --export=ALL,SHARES=3 grade.sbatch in" in merged.stderr
    assert "not all is graded. Submit again to continue" in merged.stderr
    bash(course, "grade.sbatch", "in", SLURM_ARRAY_TASK_ID="2", SHARES="3", SLURM_ARRAY_TASK_COUNT="1")
    merged = bash(course, "merge.sbatch", "in", "--regrade", SHARES="3")
    assert merged.returncode == 0, merged.stderr


def test_gradetape_replaces_the_shell_so_that_signals_reach_it(course: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "gradetape").write_text('#!/bin/sh\necho "$$" "$@"\n')
    (tmp_path / "modules.sh").write_text("export OUT_OF_MODULES=yes\necho modules\n")
    shell = subprocess.Popen(
        [BASH, SCRIPTS / "grade.sbatch", "in", "--device", "gpu"], cwd=course, stdout=subprocess.PIPE, text=True,
        env=os.environ | {
            "SLURM_ARRAY_TASK_ID": "2", "SHARES": "16", "SLURM_CPUS_PER_TASK": "8",
            "GRADETAPE_SHARDS": "elsewhere", "GRADETAPE_ENV": str(tmp_path / "modules.sh"),
        },
    )  # fmt: skip
    said, _ = shell.communicate(timeout=60)
    arguments = "grade in --shard 2/16 --out elsewhere/2 --workers 8 --device gpu"
    assert said.splitlines() == ["modules", f"{shell.pid} {arguments}"]


@pytest.mark.parametrize(
    ("script", "arguments", "variables", "words"),
    [
        ("grade.sbatch", ["in"], {}, "this is a job array: submit it with submit.sh"),
        ("grade.sbatch", ["in"], {"SLURM_ARRAY_TASK_ID": "3"}, "set the number of shares of the whole batch"),
        ("grade.sbatch", [], {"SLURM_ARRAY_TASK_ID": "3", "SHARES": "4"}, "usage: grade.sbatch SUBMISSIONS"),
        ("grade.sbatch", ["in"], {"SLURM_ARRAY_TASK_ID": "5", "SHARES": "4"}, "--shard '5/4' is not a share"),
        ("merge.sbatch", ["in"], {}, "set the number of shares of the batch"),
        ("merge.sbatch", ["in"], {"SHARES": "2"}, "nothing was graded in these shares: 1,2"),
        ("submit.sh", [], {}, "usage: submit.sh SUBMISSIONS [SHARES]"),
        ("submit.sh", ["nowhere"], {}, "there is no nowhere"),
        ("submit.sh", ["in", "0"], {}, "the number of shares must be at least 1"),
    ],
)
def test_what_is_missing_is_named(
    course: Path, script: str, arguments: list[str], variables: dict[str, str], words: str
) -> None:
    done = bash(course, script, *arguments, **variables)
    assert done.returncode != 0 and words in done.stderr


def test_outside_a_course_nothing_is_submitted(course: Path, tmp_path: Path) -> None:
    done = bash(course / "in", "submit.sh", "s1.ipynb")
    assert done.returncode == 2 and "run it in the course's folder" in done.stderr
    assert not (tmp_path / "sbatch.log").exists()
