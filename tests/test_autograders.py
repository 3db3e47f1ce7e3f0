"""Autograders for otter and Gradescope: the same points as `gradetape grade`, and the checks stay hidden."""

from __future__ import annotations

import ast
import io
import json
import math
import os
import pickle
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gradetape.bridges import gradescope
from gradetape.bridges.bundle import COURSE, course_files, gradescope_zip
from gradetape.bridges.judging import graded
from gradetape.bridges.results import FAULT, document
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import MockEngine
from gradetape.errors import RequestError, SandboxError
from gradetape.records import CellEvent, Check, CheckResult, Job, Outcome, Status, Unreadable, Verdict
from tests.course import DOUBLE, HALVE, by_student, called, notebook, tiny, write_files
from tests.factories import NASTY, SECRET, a_broken_file, a_grade, a_nasty_grade, a_result, a_tiny_grade

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # a library of otter's warns when it is imported
    from otter.plugins import PluginCollection
    from otter.run import GradingResults
    from otter.run.run_autograder.autograder_config import AutograderConfig

    from gradetape.bridges import otter_plugin

ROOT = Path(__file__).parents[1]
CHECKS = (
    Check(question="q01_double", name="test_two", public=True, title="Two.", hint="", points=3),
    Check(question="q02_halve", name="test_four", public=False, title="Four.", hint="", points=2),
)
WRONG = "def halve(x):\n    return x"
CONFIG = """course: C
keras: 3
gradebook: sqlite:///x.sqlite
late:
  percent_per_day: 10
  times: t.csv
limits:
  cell_s: 20
"""
# The checks of the tiny course as autograders show them, by their names.
SHOWN = {
    "test_two": "Twice as much: Twice two is four.",
    "test_any_number": "Twice as much: Any number is doubled.",
    "test_four": "Half as much: Half of four is two.",
    "test_odd_number": "Half as much: Half of an odd number is not cut.",
}
# What a notebook finds of the checks, the reference and the seed: its failing check shows it. It counts what it has
# read, and looks for a text of its own as well: a search that finds nothing anywhere proves nothing.
SEARCH = f"""
import ctypes, os, re, sys, time
found, names = [], ("{COURSE}", "seed", "test_q02_halve.py", "q02_halve.py", "results.json")
read = dict.fromkeys(("folders", "files", "variables", "processes", "bytes", "canaries", "others"), 0)
canary = b"".join([b"Canary", b" of this notebook"])
# A folder that cannot be listed may have one in it that can, and the notebook knows where it was handed in.
def walk(place, seconds):
    end = time.monotonic() + seconds
    for top, folders, files in os.walk(place):
        folders[:] = [each for each in folders if os.path.join(top, each) not in ("/proc", "/sys")]
        read["folders"], read["files"] = read["folders"] + 1, read["files"] + len(files)
        found.extend(os.path.join(top, name) for name in files if name in names)
        if time.monotonic() > end:
            return

for place in ("HERE", "/autograder", os.getcwd(), "/tmp", "/home", "/root", "/", "/etc", *sys.path, "/usr"):
    walk(place, 1)
for name in ("autograder.zip", "results.json", "course", "source", "course/autograder/seed", "source/course/seed"):
    found += [name] if os.path.exists(f"HERE/{{name}}") else []
read["variables"] = len(os.environ)
found += [name for name in os.environ if "AUTOGRADER" in name or "course" in os.environ[name]]

def search(content, what):
    read[what] += len(content)
    # The patterns do not match themselves.
    found.extend(re.findall(rb"[H]alf of an odd number is not cu[t]|[R]eturn half the numbe[r]", content))
    read["canaries"] += len(re.findall(rb"[C]anary of this noteboo[k]", content))

end = time.monotonic() + 20
# Its own memory, without the calls that the sandbox may refuse: whatever is mapped for reading and writing.
with open("/proc/self/maps") as maps:
    spans = [line.split() for line in maps]
for edges, rights, _, _, _, *name in spans:
    if time.monotonic() < end and rights.startswith("rw") and (not name or name[0].startswith(("/", "[heap]"))):
        start, stop = (int(edge, 16) for edge in edges.split("-"))
        for place in range(start, min(stop, start + (1 << 28)), 1 << 22):
            search(ctypes.string_at(place, min((1 << 22) + 64, stop - place)), "bytes")

# The others: what is refused counts as nothing.
for number in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{{number}}/cmdline", "rb") as file:
            line = file.read()
            read["processes"] += 1
            found += [line] if b"otter" in line or b"gradescope" in line else []
        if int(number) != os.getpid():
            with open(f"/proc/{{number}}/mem", "rb") as memory, open(f"/proc/{{number}}/maps") as maps:
                for line in maps:
                    start, stop = (int(edge, 16) for edge in line.split()[0].split("-"))
                    memory.seek(start)
                    search(memory.read(min(stop - start, 1 << 26)), "others")
    except OSError:
        pass
def halve(x):
    raise ValueError(f"READ {{read}} FOUND {{found}}")
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return tiny(tmp_path / "course")


@pytest.fixture
def gradable(course: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(course), "tiny")


def mocked(*_: object) -> MockEngine:
    """Every check that is asked for passes, but for the hidden one of a submission that says WRONG."""

    def answer(job: Job) -> Outcome:
        wrong = any("WRONG" in cell.source for cell in job.cells)
        verdicts = {check: Verdict.FAILED if wrong and not check.public else Verdict.PASSED for check in CHECKS}
        return Outcome(
            results=tuple(
                CheckResult(check=check, verdict=verdict, points=check.points * (verdict is Verdict.PASSED), seconds=0)
                for check, verdict in verdicts.items()
            )
        )

    return MockEngine(answer, checks=CHECKS)


def searching(course: Path, folder: Path) -> str:
    """A cell that searches this folder and everything else, and enough time for it."""
    config = course / "grader_config.yml"
    config.write_text(config.read_text().replace("cell_s: 20", "cell_s: 100"))
    return SEARCH.replace("HERE", str(folder))


def assert_searched(results: dict[str, Any]) -> None:
    """The search has read files, processes and its own memory, where it found its own text, and nothing else."""
    text = "".join(test["output"] for test in results["tests"])
    search = re.search(r"READ ({.*?}) FOUND (\[.*?\])", text)
    assert search, results
    read = ast.literal_eval(search[1])
    assert read["folders"] > 100 and read["files"] > 1000 and read["variables"] > 3 and read["processes"], read
    assert read["bytes"] > 20 << 20 and read["canaries"] >= 1 and read["others"] == 0, read
    assert search[2] == "[]", text


def unpacked(content: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder


def valid(results: dict[str, Any]) -> dict[str, Any]:
    """Holds results against https://gradescope-autograders.readthedocs.io/en/latest/specs/."""
    assert set(results) <= {"score", "execution_time", "output", "output_format", "stdout_visibility", "tests"}
    assert "score" in results or any("score" in test for test in results["tests"])
    visibility = {"visible", "hidden", "after_due_date", "after_published"}
    assert results["output_format"] == "text" and results["stdout_visibility"] in visibility
    for test in results["tests"]:
        assert set(test) <= {"score", "max_score", "status", "name", "output", "visibility"}
        assert test["visibility"] in visibility and test.get("status", "passed") in {"passed", "failed"}
        assert all(math.isfinite(test.get(key, 0)) for key in ("score", "max_score"))
    assert json.loads(json.dumps(results)) == results
    return results


# What is in the zip


def test_the_course_in_a_zip_has_the_assignment_and_nothing_else(gradable: GradableAssignment) -> None:
    root = gradable.course.root
    write_files(root, {
        "grader_config.yml": CONFIG,
        "solutions/tiny/variants/q01_double/other.py": DOUBLE,
        "solutions/tiny/mutants/q01_double/wrong.py": '"""x"""\n',
        "assignments/other/assignment.yml": "title: Other\nquestions:\n  q01_x: 1\n",
        "results/gradebook.sqlite": "",
    })  # fmt: skip
    found = dict(course_files(GradableAssignment.open(courses.find(root), "tiny")))
    assert json.loads(found["grader_config.yml"]) == {"course": "C", "keras": 3, "limits": {"cell_s": 20.0}}
    assert not [
        name for name in found if "variants" in name or "mutants" in name or "other" in name or "results" in name
    ]
    assert {"autograder/seed", "autograder/tiny/test_q02_halve.py", "solutions/tiny/q02_halve.py"} < set(found)


def test_the_course_in_a_zip_has_the_same_checks_reference_and_seed(
    gradable: GradableAssignment, tmp_path: Path
) -> None:
    unpacked(gradescope_zip(gradable, "gradetape"), tmp_path / "ag")
    again = GradableAssignment.open(courses.find(tmp_path / "ag" / "course"), "tiny")
    assert (again.bundle(), again.reference) == (gradable.bundle(), gradable.reference)
    assert again.answer_key.seed() == gradable.answer_key.seed()


def test_the_flagships_course_can_be_opened_from_its_zip(tmp_path: Path) -> None:
    gradable = GradableAssignment.open(courses.find(ROOT), "custom-training")
    unpacked(gradescope_zip(gradable, "gradetape"), tmp_path)
    assert GradableAssignment.open(courses.find(tmp_path / "course"), "custom-training").bundle() == gradable.bundle()


def test_gradescopes_zip_installs_what_was_asked_for_and_is_the_same_each_time(
    gradable: GradableAssignment, tmp_path: Path
) -> None:
    wheel = tmp_path / "gradetape-9-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    made = gradescope_zip(gradable, str(wheel))
    assert made == gradescope_zip(gradable, str(wheel))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.read(wheel.name) == b"wheel"
        assert b'"/autograder/source/gradetape-9-py3-none-any.whl"' in archive.read("setup.sh")
        assert archive.getinfo("run_autograder").external_attr >> 16 == 0o755
    for name in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n"], input=_text(made, name), text=True, check=False).returncode == 0
    with pytest.raises(
        RequestError, match=r"cannot be read: No such file or directory. Name gradetape's wheel with --package"
    ):
        gradescope_zip(gradable, str(tmp_path / "none.whl"))


def _text(made: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return archive.read(name).decode()


def test_otters_zip_is_what_otter_generates_with_the_plugin(course: Path) -> None:
    run = called(
        course, "export", "autograder", "tiny", "--for", "otter", "--out", "ag.zip", "--package", "gradetape==9"
    )
    assert (run.returncode, run.stdout) == (0, "Written to ag.zip.\n")
    made = (course / "ag.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        names = set(archive.namelist())
        [checks] = [name for name in names if name.startswith("tests/")]
    assert {
        "otter_config.json",
        "run_autograder",
        "run_otter.py",
        "setup.sh",
        "environment.yml",
        f"files/{COURSE}",
    } < names
    assert checks == "tests/README.txt" and "gradetape==9" in _text(made, "environment.yml") + _text(
        made, "setup.sh"
    ) + "".join(names)
    assert "echo '{}' > /autograder/submission_metadata.json" in _text(made, "run_autograder")
    assert json.loads(_text(made, "otter_config.json"))["plugins"] == ["gradetape.bridges.otter_plugin.GradetapePlugin"]


# What results.json says


def test_each_check_has_its_points_and_hidden_ones_wait_for_the_due_date() -> None:
    results = valid(document(a_tiny_grade()))
    assert [(test["score"], test["max_score"], test["visibility"], test["status"]) for test in results["tests"]] == [
        (3, 3, "visible", "passed"),
        (0, 2, "after_due_date", "failed"),
    ]
    assert results["tests"][1]["name"] == "Half: Odd." and "Hint: H2." in results["tests"][1]["output"]
    assert SECRET not in json.dumps(results) and "test_odd" not in json.dumps(results)


def test_what_the_students_cells_did_is_told() -> None:
    event = CellEvent(cell=1, kind="error", text="ZeroDivisionError: division by zero")
    results = valid(document(a_grade(events=(event,), notes=("2 cells were quarantined.",))))
    assert results["output"] == "2 cells were quarantined.\nCode cell 2 (error): ZeroDivisionError: division by zero"


def test_a_fault_is_told_with_the_results_of_the_other_checks() -> None:
    fault = a_result("test_y", verdict=Verdict.FAULT, staff_message="traceback")
    results = valid(
        document(a_grade("a", a_result(), fault, status=Status.NEEDS_ATTENTION, attention=("secret reason",)))
    )
    assert results["output"] == FAULT and "secret reason" not in json.dumps(results)
    assert [test.get("status") for test in results["tests"]] == ["passed", None]
    assert "an error in the grader" in results["tests"][1]["output"] and "traceback" not in json.dumps(results)


def test_an_unreadable_submission_gets_the_reason_for_the_student() -> None:
    results = valid(document(a_broken_file()))
    assert (results["score"], results["output"]) == (0, "It is no notebook: hand in the .ipynb.")
    entry = Unreadable(student="a", file="f", sha256="", reason="/home/staff/x", for_student="Hand in one file.")
    assert "/home/staff" not in json.dumps(document(entry))


def test_an_error_of_the_grader_is_for_staff_and_the_student_is_told_that_it_is_none_of_theirs() -> None:
    results = valid(document(SandboxError("Landlock is missing at /secret")))
    assert results["output"] == FAULT
    assert [(test["visibility"], "/secret" in test["output"]) for test in results["tests"]] == [("hidden", True)]


def test_texts_of_students_are_plain() -> None:
    shown = json.dumps(valid(document(a_nasty_grade())), ensure_ascii=False)
    assert NASTY not in shown and "\x1b" not in shown and "\u202e" not in shown


# Gradescope


def test_a_submission_is_graded_from_its_folder(course: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "sub", {"hw.ipynb": notebook(f"{DOUBLE}\n# WRONG"), "data/x.csv": "1"})
    gradescope.main(course, tmp_path / "sub", tmp_path / "out" / "results.json", mocked)
    results = valid(json.loads((tmp_path / "out" / "results.json").read_text()))
    assert [test["score"] for test in results["tests"]] == [3, 0]
    assert not (course / "results").exists()


@pytest.mark.parametrize("files", [{}, {"a.ipynb": "{}", "b.ipynb": "{}"}, {"essay.pdf": "x"}])
def test_what_cannot_be_graded_has_results_with_the_reason(course: Path, tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / "sub").mkdir()
    write_files(tmp_path / "sub", files)
    gradescope.main(course, tmp_path / "sub", tmp_path / "results.json", mocked)
    results = valid(json.loads((tmp_path / "results.json").read_text()))
    assert results["score"] == 0 and results["output"]


def test_there_are_results_even_if_nothing_can_be_read(tmp_path: Path) -> None:
    gradescope.main(tmp_path / "no course", tmp_path / "no submission", tmp_path / "out" / "results.json", mocked)
    assert valid(json.loads((tmp_path / "out" / "results.json").read_text()))["output"] == FAULT


def test_there_are_results_even_if_python_does_not_start(gradable: GradableAssignment, tmp_path: Path) -> None:
    source = unpacked(gradescope_zip(gradable, "gradetape"), tmp_path / "source")
    environment = {**os.environ, "AUTOGRADER_ROOT": str(tmp_path), "GRADETAPE_PYTHON": "/bin/false"}
    subprocess.run(["bash", source / "run_autograder"], env=environment, check=True)
    results = json.loads((tmp_path / "results" / "results.json").read_text())
    assert results["score"] == 0 and "It is not your fault" in results["output"] and results["tests"] == []


def test_links_in_a_submission_are_not_followed(course: Path, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "hw.py").symlink_to(course / "solutions" / "tiny" / "q01_double.py")
    outcome = graded(course, (tmp_path / "sub").iterdir(), mocked)
    assert isinstance(outcome, Unreadable) and "link" in outcome.reason


# otter


def otter_folder(gradable: GradableAssignment, folder: Path, **files: str) -> Path:
    """The folders as otter makes them before it loads the plugin; returns the submission's."""
    source = folder / "source" / "files"
    source.mkdir(parents=True)
    with zipfile.ZipFile(source / COURSE, "w") as archive:
        for name, content in course_files(gradable):
            archive.writestr(name, content)
    write_files(folder / "submission", {"tests/README.txt": "", "__init__.py": "", **files})
    return folder / "submission"


def plugged(submission: Path) -> GradingResults:
    """The results after otter's three calls; otter's own are those of an empty notebook."""
    plugins = PluginCollection(["gradetape.bridges.otter_plugin.GradetapePlugin"], str(submission), {})
    plugins.run("before_grading", AutograderConfig())
    assert plugins.before_execution("import os; os._exit(0)").cells == []
    results = GradingResults([])
    plugins.run("after_grading", results)
    return results


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otter_plugin, "graded", lambda folder, files: graded(folder, files, mocked))


@pytest.mark.usefixtures("mock")
def test_otter_gets_a_test_for_each_check(gradable: GradableAssignment, tmp_path: Path) -> None:
    submission = otter_folder(gradable, tmp_path, **{"hw.ipynb": notebook(f"{DOUBLE}\n# WRONG")})
    results = plugged(submission / "hw.ipynb")
    made = results.to_gradescope_dict(AutograderConfig())
    assert [(test["name"], test.get("score"), test.get("max_score"), test["visibility"]) for test in made["tests"]] == [
        ("Public Tests", None, None, "visible"),
        ("Twice as much: Two.", 3, 3, "hidden"),
        ("Half as much: Four.", 0, 2, "hidden"),
    ]
    assert "Four." not in made["tests"][0]["output"] and made["tests"][0]["status"] == "passed"
    assert (results.total, results.possible) == (3, 5) and pickle.loads(pickle.dumps(results)).total == 3


@pytest.mark.usefixtures("mock")
def test_otter_runs_imports_and_unpickles_nothing_of_the_submission(
    gradable: GradableAssignment, tmp_path: Path
) -> None:
    """A kernel starts in the folder, so a module there would be imported, and a log in it is a pickle."""
    files = {"hw.ipynb": notebook(DOUBLE), "ipykernel_launcher.py": "", "json/__init__.py": "", ".OTTER_LOG": "x"}
    submission = otter_folder(gradable, tmp_path, **files)
    (submission / "link").symlink_to(tmp_path)
    plugged(submission / "hw.ipynb")
    assert os.listdir(submission) == ["hw.ipynb"]
    assert json.loads((submission / "hw.ipynb").read_text())["cells"] == []
    assert (tmp_path / "source").is_dir()


def test_otter_has_results_whatever_happens(gradable: GradableAssignment, tmp_path: Path) -> None:
    submission = otter_folder(gradable, tmp_path, **{"hw.py": DOUBLE})
    (tmp_path / "source" / "files" / COURSE).write_bytes(b"no zip")
    made = plugged(submission / "hw.py").to_gradescope_dict(AutograderConfig())
    assert made["score"] == 0 and {test["visibility"] for test in made["tests"]} == {"visible", "hidden"}
    assert (submission / "hw.py").read_text() == ""


def test_a_failure_of_otters_own_generator_is_reported(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch, course: Path
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    run = called(course, "export", "autograder", "tiny", "--for", "otter")
    assert (
        run.returncode == 2 and "otter generate failed: no output. Check that otter-grader is installed" in run.stderr
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["perfect", "partial", "empty", "hostile", "crashing"])
def test_a_real_otter_run_gives_the_points_of_gradetape_grade(course: Path, tmp_path: Path, kind: str) -> None:
    """The hostile one is a zip that would take over otter's kernel, and searches for the checks where it is run."""
    crashing = f"{HALVE}\nimport os\nos._exit(0)"
    search = searching(course, tmp_path)
    cells = {"perfect": HALVE, "partial": WRONG, "empty": "", "hostile": search, "crashing": crashing}[kind]
    file = tmp_path / "hw.zip"
    marker = tmp_path / "taken over"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hw.ipynb", notebook(DOUBLE if cells else "", cells))
        if kind == "hostile":
            for name in ("ipykernel_launcher.py", "sitecustomize.py", "nbformat.py", "otter.py"):
                archive.writestr(name, f"open({str(marker)!r}, 'w')")
    assert called(course, "export", "autograder", "tiny", "--for", "otter").returncode == 0
    command = [sys.executable, "-m", "otter", "run", "-a", course / "autograder.zip", "-o", tmp_path, file]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    assert run.returncode == 0, run.stderr
    text = (tmp_path / "results.json").read_text()
    results = json.loads(text)
    scores = [(test["name"], test["score"]) for test in results["tests"] if "score" in test]
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(file) as archive:
        archive.extract("hw.ipynb", tmp_path / "in")
    [own] = by_student(called(course, "grade", tmp_path / "in", "--json")).values()
    checks = [check for question in own["questions"].values() for check in question["checks"]]
    assert sorted(scores) == sorted((SHOWN[check["name"]], check["points"]) for check in checks)
    passed = {
        "perfect": set(SHOWN), "partial": {"test_two", "test_any_number"}, "empty": set(), "crashing": set(SHOWN),
        "hostile": {"test_two", "test_any_number"},
    }[kind]  # fmt: skip
    assert {check["name"] for check in checks if check["points"]} == passed and len(checks) == 4
    assert not marker.exists()
    if kind == "hostile":
        assert_searched(results)


@pytest.mark.slow
def test_what_gradescope_calls_gives_the_points_of_gradetape_grade(course: Path, tmp_path: Path) -> None:
    search = searching(course, tmp_path)
    gradable = GradableAssignment.open(courses.find(course), "tiny")
    unpacked(gradescope_zip(gradable, "gradetape"), tmp_path / "source")
    write_files(tmp_path / "submission", {"hw.ipynb": notebook(DOUBLE, search)})
    environment = {**os.environ, "AUTOGRADER_ROOT": str(tmp_path), "GRADETAPE_PYTHON": sys.executable}
    subprocess.run(["bash", tmp_path / "source" / "run_autograder"], env=environment, check=True, timeout=900)
    results = valid(json.loads((tmp_path / "results" / "results.json").read_text()))
    expected = [("test_two", 1), ("test_any_number", 2), ("test_four", 0), ("test_odd_number", 0)]
    assert [(test["name"], test["score"]) for test in results["tests"]] == [(SHOWN[name], n) for name, n in expected]
    assert_searched(results)
    assert results["execution_time"] > 0
