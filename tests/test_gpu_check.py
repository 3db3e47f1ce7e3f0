"""The script of `make gpu-check`, without a GPU: what it compares, and what its page says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from gradetape.remote.loader import LoadReport
from scripts import gpu_check
from scripts.gpu_check import First, How, Meter, Report, Run, baseline, card_course, different, isolation

CPU = {"test_a": "passed", "test_b": "failed"}


def batch(**verdicts: str) -> Run:
    """A batch of one submission with these verdicts."""
    checks = [{"name": name, "verdict": verdict, "message": f"{name} | said"} for name, verdict in verdicts.items()]
    return Run({"submissions": [{"student": "ada", "questions": {"q01": {"checks": checks}}}]}, 30.0, 4000)


def report(on_gpu: dict[str, str], marked: str = "passed") -> Report:
    """A report of one batch with two workers on the card."""
    seen = LoadReport()
    seen.set_environment({"devices": ["NVIDIA H200"], "versions": {"tensorflow": "2.21.0", "keras": "3.15.1"}})
    seen.set_layers(("mount", "landlock"))
    first = [First(0.1, 0.3, seen), First(0.2, 0.5, seen), First(0.9, 1.0, seen)]
    needing = {device: batch(one=verdict, two=verdict) for device, verdict in (("cpu", "skipped"), ("gpu", marked))}
    how = How("namespaces")
    return Report(how, batch(**CPU), {2: batch(**on_gpu)}, needing, {"cpu": first, "gpu": first})


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"name": "NVIDIA H200", "memory.total": "143771", "driver_version": "580.159.04"}
    monkeypatch.setattr(gpu_check, "query", answers.__getitem__)


def test_a_verdict_that_differs_is_named_with_both_verdicts() -> None:
    found = list(different(batch(**CPU | {"test_b": "passed"}), batch(**CPU)))
    assert [(key, before, check["verdict"]) for key, before, check in found] == [
        (("ada", "q01", "test_b"), "failed", "passed")
    ]


def test_the_page_says_what_was_measured() -> None:
    made = report(CPU)
    text = made.text()
    assert made.passed
    for part in (
        "NVIDIA H200, 143771 MiB", "580.159.04", "2.21.0, 3.15.1", "namespaces: mount, landlock",
        "1 submissions, 2 verdicts",
        "| 2 | 30.0 | 2.0 | 2000 | 0 |", "None.", "| one | skipped | passed |", "| gpu | first reply | 0.20 | 0.90 |",
    ):  # fmt: skip
        assert part in text, part


def test_the_page_lists_what_differs_and_the_check_fails() -> None:
    made = report(CPU | {"test_a": "error"})
    assert "| 2 | ada | q01 | test_a | passed | error | test_a \\| said |" in made.text()
    assert not made.passed


def test_a_marked_check_that_does_not_pass_on_the_card_fails_the_check() -> None:
    assert not report(CPU, marked="failed").passed
    assert not report(CPU, marked="skipped").passed


def test_containers_are_used_where_there_is_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> Any:
        return f"/usr/bin/{name}" if name == "podman" else None

    monkeypatch.setattr(shutil, "which", installed)
    assert (isolation("auto"), isolation("namespaces")) == ("container", "namespaces")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert isolation("auto") == "namespaces"


def test_the_marked_checks_are_in_a_course_of_their_own(tmp_path: Path) -> None:
    course = card_course(tmp_path / "course")
    assert (course / "autograder/tiny/test_q02_halve.py").read_text().count("@gpu\n") == 2
    assert "q02_halve: 4" in (course / "assignments/tiny/assignment.yml").read_text()


def test_verdicts_of_the_cpu_of_another_machine_are_compared_and_its_time_is_not(tmp_path: Path) -> None:
    kept = tmp_path / "custom-training-cpu-2.json"
    kept.write_text(json.dumps(batch(**CPU).output))
    known = baseline(kept, [Path("ada.ipynb")])
    made = report(CPU | {"test_a": "error"})._replace(cpu=known)
    assert [each[3] for each in made.differences] == ["test_a"]
    assert "| on the CPU of another machine |  |  |  |  |" in made.text()
    assert baseline(kept, []).output["submissions"] == []


def test_a_baseline_without_one_of_the_submissions_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "custom-training-cpu-2.json"
    kept.write_text(json.dumps(batch(**CPU).output))
    with pytest.raises(click.UsageError, match="has no bob"):
        baseline(kept, [Path("ada.ipynb"), Path("bob.py")])


def test_the_cpus_verdicts_are_kept_where_there_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, list[str]]] = []

    def kept(how: How, device: str, workers: int, course: Path) -> Run:
        assert (how.outputs, (course / "assignments").is_dir()) == (tmp_path, True)
        asked.append((device, workers, [path.name for path in how.submissions]))
        return batch(**CPU)

    monkeypatch.setattr(gpu_check, "grade", kept)
    options = ["--isolation", "namespaces", "--only-cpu", "--example", "script"]
    done = CliRunner().invoke(gpu_check.main, [*options, "--outputs", str(tmp_path)], catch_exceptions=False)
    assert (done.exit_code, asked) == (0, [("cpu", 1, ["script.py"])])
    refused = CliRunner().invoke(gpu_check.main, options)
    assert refused.exit_code == 2 and "--outputs" in refused.output


def test_no_memory_of_a_card_is_measured_without_nvidia_smi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the answers of the fixture
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert gpu_check.query("memory.used") == ""
    with Meter() as meter:
        pass
    assert meter.peak_mb == 0
