"""Every part of the benchmarks runs, here once and small; a part that cannot run says why, and the rest is printed."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as benchmarks
from benchmarks import classes, comparison, document, with_nbgrader, with_otter
from benchmarks.measure import BenchmarkError, run_program
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from tests.course import tiny, write_files

ROOT = Path(__file__).parents[1]
FLAGSHIP = "custom-training"


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> benchmarks.Setting:
    root = tiny(tmp_path_factory.mktemp("bench") / "course")
    gradable = GradableAssignment.open(courses.find(root), "tiny")
    return benchmarks.Setting.quick(gradable, gradable, "q01_double")


LIGHT = ("start-up", "pages", "similar")
_NOT_HERE = f"nbgrader {with_nbgrader.VERSION} cannot be installed"  # where no registry can be reached
EACH = [pytest.param(name, marks=() if name in LIGHT else pytest.mark.slow) for name in benchmarks.PARTS]


@pytest.mark.parametrize("name", EACH)
def test_every_part_runs(setting: benchmarks.Setting, name: str) -> None:
    if name == "dashboard" and shutil.which("chromium") is None:
        pytest.skip("there is no chromium on this machine")
    rows = benchmarks.rows_of(name, setting)
    assert rows and not [row for row in rows if "not measured" in row[1] and _NOT_HERE not in row[1]]


def test_a_part_that_cannot_run_says_why_and_the_rest_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(setting: benchmarks.Setting) -> list[benchmarks.Row]:
        raise BenchmarkError("there is no browser")

    def works(setting: benchmarks.Setting) -> list[benchmarks.Row]:
        return [("a part that runs", "1 s", "")]

    monkeypatch.setattr(benchmarks, "PARTS", {"broken": benchmarks.Part(broken, 1), "works": benchmarks.Part(works, 1)})
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


def test_a_run_of_otter_without_the_scores_of_every_test_file_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = {"name": "q01_hidden (public checks)", "score": 2, "max_score": 2}
    write_files(tmp_path, {"tests/q01_hidden.py": "", "results.json": json.dumps({"tests": [scored]})})
    monkeypatch.setattr(with_otter, "run_program", lambda *_: "")
    assert with_otter.run(tmp_path) >= 0
    (tmp_path / "tests/q02_public.py").touch()
    with pytest.raises(BenchmarkError, match="otter run has no scores of q02_public"):
        with_otter.run(tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of otter's own modules
def test_a_check_of_the_assignment_is_ported_to_otter_or_named_with_the_reason(tmp_path: Path) -> None:
    gradable = GradableAssignment.open(courses.find(ROOT), FLAGSHIP)
    ids, left_out = list[str](), dict[str, str]()
    for source in gradable.assignment.question_sources:
        hidden = gradable.answer_key.hidden_checks(source.question.id)
        for kind, path in (("public", source.public_checks), ("hidden", hidden)):
            text, found = with_otter.ported(source, path, kind, tmp_path)
            assert bool(text) is bool(found.ids)
            exec(text, {})  # as otter does; one file that cannot run ends the whole of its run
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


def test_a_class_is_as_large_as_the_time_allows(setting: benchmarks.Setting) -> None:
    wanted = replace(setting, workers=2)
    assert classes.fitting(wanted, 50, 18.0) == (50, "")
    soon = replace(wanted, until=time.monotonic() + 180.5)
    assert classes.fitting(soon, 50, 18.0) == (20, " (50 do not fit into the time)")
    assert classes.fitting(replace(wanted, until=time.monotonic() - 60), 50, 18.0)[0] == 3


def test_rounds_end_when_the_time_does_and_one_is_always_run(setting: benchmarks.Setting) -> None:
    assert [*setting.rounds(3)] == [0, 1, 2]
    assert [*replace(setting, until=time.monotonic() + 60).rounds(3)] == [0, 1, 2]
    assert [*replace(setting, until=time.monotonic() - 1).rounds(3)] == [0]


def test_each_part_has_its_share_of_the_time_and_none_begins_when_it_is_over(
    setting: benchmarks.Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: dict[str, float] = {}

    def part(name: str, share: float, takes: float = 0.0) -> benchmarks.Part:
        def measure(limited: benchmarks.Setting) -> list[benchmarks.Row]:
            assert limited.until is not None
            left[name] = limited.until - time.monotonic()
            time.sleep(takes)
            return [(name, "1 s", "")]

        return benchmarks.Part(measure, share)

    parts = {"first": part("first", 0.1), "slow": part("slow", 0.3, takes=1.23), "never": part("never", 0.1)}
    monkeypatch.setattr(benchmarks, "PARTS", parts)
    found = benchmarks.measured([*parts], replace(setting, until=time.monotonic() + 1.25))
    assert left == pytest.approx({"first": 0.25, "slow": 0.94}, abs=0.1)
    assert found["slow"] == [("slow", "1 s", "")]
    assert found["never"] == [("never", 'not measured: the time was over; run make bench PARTS="never"', "")]
    assert [*benchmarks.that_began(found)] == ["first", "slow"]


def test_a_class_tells_when_so_many_were_graded_and_what_one_costs() -> None:
    moments = tuple(classes.Moment(at=10.0 + number, graded=number, memory=100.0) for number in range(1, 21))
    batch = classes.Batch(30.0, moments)
    assert batch.when(10).at == 20 and batch.when(99).graded == 20
    assert batch.per_submission() == 1.0


def test_what_fails_in_a_round_is_left_out_and_the_others_go_on() -> None:
    def fails() -> float:
        raise BenchmarkError("it does not pass test_two")

    why: dict[str, str] = {}
    runners = {comparison.OURS: lambda: 2.0, comparison.OTTER: fails, comparison.LIMIT: lambda: 1.6}
    times = comparison.rounds(runners, range(3), why)
    assert times == {comparison.OURS: [2.0] * 3, comparison.LIMIT: [1.6] * 3}
    assert why == {comparison.OTTER: "it does not pass test_two"}
    ratios = {name: measured for name, measured, _ in comparison.rows(times, "25 checks") if " / " in name}
    assert ratios == {f"{comparison.OURS} / {comparison.LIMIT}": "1.25"}


def test_nbgrader_that_cannot_be_installed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(with_nbgrader, "VERSION", "0.0.0.none")
    with pytest.raises(BenchmarkError, match=r"nbgrader 0\.0\.0\.none cannot be installed: .+"):
        with_nbgrader.python(tmp_path / "nbgrader")


def test_the_page_gets_the_figures_of_the_parts_that_ran_and_keeps_the_others(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    places = "".join(f"<!-- figures: {name} -->\nold {name}\n<!-- end of figures: {name} -->\n" for name in "ab")
    page.write_text(f"# Benchmarks\n\n{places}\nThe end.\n", encoding="utf-8")
    document.write(page, {"a": [("a | b", "1 s", "2 s")]}, "a machine")
    text = page.read_text(encoding="utf-8")
    assert "Measured on a machine.\n\n| what |" in text and "| a \\| b | 1 s | 2 s |\n" in text
    assert "old a" not in text and "old b" in text and text.endswith("\nThe end.\n")
    with pytest.raises(BenchmarkError, match="has no place for the figures of c"):
        document.write(page, {"b": [], "c": []}, "a machine")
    assert page.read_text(encoding="utf-8") == text


def test_the_documentation_has_a_place_for_the_figures_of_every_part(tmp_path: Path) -> None:
    page = Path(shutil.copy(ROOT / "docs/benchmarks.md", tmp_path))
    document.write(page, {name: [(name, "1 s", "")] for name in benchmarks.PARTS}, "a machine")
