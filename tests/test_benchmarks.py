"""Every part of the benchmarks runs, here once and small; a part that cannot run says why, and the rest is printed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as benchmarks
from benchmarks import with_otter
from benchmarks.measure import BenchmarkError, run_program
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from tests.course import tiny

ROOT = Path(__file__).parents[1]
FLAGSHIP = "custom-training"


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> benchmarks.Setting:
    root = tiny(tmp_path_factory.mktemp("bench") / "course")
    return benchmarks.Setting.quick(GradableAssignment.open(courses.find(root), "tiny"))


LIGHT = ("start-up", "pages")
EACH = [pytest.param(name, marks=() if name in LIGHT else pytest.mark.slow) for name in benchmarks.PARTS]


@pytest.mark.parametrize("name", EACH)
def test_every_part_runs(setting: benchmarks.Setting, name: str) -> None:
    if name == "dashboard" and shutil.which("chromium") is None:
        pytest.skip("there is no chromium on this machine")
    rows = benchmarks.rows_of(name, setting)
    assert rows and not [row for row in rows if "not measured" in row[1]]


def test_a_part_that_cannot_run_says_why_and_the_rest_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(setting: benchmarks.Setting) -> list[benchmarks.Row]:
        raise BenchmarkError("there is no browser")

    def works(setting: benchmarks.Setting) -> list[benchmarks.Row]:
        return [("a part that runs", "1 s", "")]

    monkeypatch.setattr(benchmarks, "PARTS", {"broken": broken, "works": works})
    run = CliRunner().invoke(benchmarks.main, ["--quick"])
    assert run.exit_code == 0
    assert "not measured: there is no browser" in run.output and "a part that runs" in run.output


def test_without_a_browser_the_pages_are_measured_all_the_same(
    setting: benchmarks.Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    [(_, measured, _)] = benchmarks.rows_of("pages", setting)
    [(_, missing, _)] = benchmarks.rows_of("dashboard", setting)
    assert measured.endswith(")") and missing == "not measured: there is no chromium on this machine"


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(BenchmarkError, match="failed: no room"):
        run_program([sys.executable, "-c", "import sys; sys.exit('no room')"], ROOT)


@pytest.mark.slow
def test_a_check_of_the_assignment_is_ported_to_otter_or_named_with_the_reason(tmp_path: Path) -> None:
    gradable = GradableAssignment.open(courses.find(ROOT), FLAGSHIP)
    ids, left_out = list[str](), dict[str, str]()
    for source in gradable.assignment.question_sources:
        hidden = gradable.answer_key.hidden_checks(source.question.id)
        for kind, path in (("public", source.public_checks), ("hidden", hidden)):
            text, found = with_otter.ported(source, path, kind, tmp_path)
            assert bool(text) is bool(found.ids)
            ids += found.ids
            left_out |= found.left_out
    assert len(ids) > 100 and len(ids) == len(set(ids)) and not left_out.keys() & set(ids)
    assert all("notebooks have no" in reason or "cannot import" in reason for reason in left_out.values())
    assert any(check.startswith("q01_what_tensorflow_offers::hidden::") for check in left_out)


@pytest.mark.slow
def test_the_whole_assignment_runs_in_one_process() -> None:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", "benchmarks.in_process", ROOT, FLAGSHIP, "1"]
    [seconds] = json.loads(run_program(command, ROOT, environment).splitlines()[-1])
    assert seconds > 0
