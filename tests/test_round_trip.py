"""From a platform's download to its upload: whoever handed something in gets their own points and their own page."""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradetape.engine import MockEngine
from gradetape.engine.factory import ENGINES
from gradetape.records import Check, CheckResult, Job, Outcome, Verdict
from tests.course import called, tiny
from tests.layouts import DOWNLOADS, ZOE

CHECKS = (
    Check(question="q01_double", name="test_two", public=True, title="Two.", hint="", points=3),
    Check(question="q02_halve", name="test_four", public=False, title="Four.", hint="", points=2),
)
# The points of the notebooks' owners, by number.
POINTS = {1: 5, 2: 3, 3: 5, 4: 3}
NAMES = ("Jane Doe", "Jane Doe", ZOE, "Rick Roe", "Max Poe", "Eva Lang")
LOGINS = ("jdoe", "jdoe2", "zmueller", "r_roe", "mpoe", "elang")
EMAILS = ("jane", "jdoe2", "zoe", "rick", "max", "eva")
TURNED = [f"{name.split()[1]}, {name.split()[0]}" for name in NAMES]
# For each download: the platform's file, with the students' rows in the order of the class, and `{}` for their points.
FILES = {
    "canvas": (
        "canvas",
        "Student,ID,Section,A tiny assignment (7)\n    Points Possible,,,5\n",
        '"{turned}",{id},A,{{}}\n',
    ),
    "moodle": ("moodle", "Identifier,Full name,Grade,Maximum Grade\n", "Participant {id},{name},{{}},5\n"),
    "moodle, flat": ("moodle", "Identifier,Full name,Grade,Maximum Grade\n", "Participant {id},{name},{{}},5\n"),
    "gradescope": ("gradescope", "Name,SID,Email,Total Score,Max Points\n", "{name},,{email}@example.org,{{}},5\n"),
    "blackboard": (
        "blackboard",
        "Last Name,First Name,Username,A tiny assignment [Total Pts: 5 Score] |7\n",
        "{last},{first},{login},{{}}\n",
    ),
}


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tiny course in which a notebook gets the points of its owner."""
    monkeypatch.setitem(ENGINES, "local", lambda gradable, options: MockEngine(_answer, checks=CHECKS))
    yield tiny(tmp_path / "course")


def _answer(job: Job) -> Outcome:
    text = "\n".join(cell.source for cell in job.cells)
    owner = next((number for number in POINTS if f"OWNER = {number}" in text), 1)
    passed = {check: check.public or POINTS[owner] == 5 for check in CHECKS}
    return Outcome(
        results=tuple(
            CheckResult(
                check=check, verdict=Verdict.PASSED if good else Verdict.FAILED, points=check.points * good, seconds=0
            )
            for check, good in passed.items()
        )
    )


def exported(head: str, row: str, points: tuple[str, ...]) -> str:
    """The platform's file of the whole class, with names in composed characters."""
    text = head
    for number, (name, value) in enumerate(zip(NAMES, points, strict=True)):
        first, last = name.split()
        filled = row.format(
            id=10001 + number, name=name, first=first, last=last, turned=TURNED[number], login=LOGINS[number],
            email=EMAILS[number],
        )  # fmt: skip
        text += filled.format(value)
    return unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("kind", FILES)
def test_everybody_of_a_download_gets_their_own_points(course: Path, kind: str) -> None:
    platform, head, row = FILES[kind]
    called(course, "grade", DOWNLOADS[kind]().write(course / "in"))
    (course / "g.csv").write_text(exported(head, row, ("",) * 6))
    run = called(course, "export", platform, "--into", "g.csv")
    if kind == "canvas":  # one who typed a text is in the download, and not in the file
        assert "left as it is: typedtom: unreadable" in run.stderr
    assert run.returncode == 0, run.stderr
    assert (course / "g-filled.csv").read_text() == exported(head, row, ("5", "3", "5", "3", "", ""))


def test_of_a_download_without_ids_of_the_file_namesakes_are_refused_until_they_are_named(course: Path) -> None:
    """Brightspace's download has numbers that its file does not have."""
    points = "A tiny assignment Points Grade <Numeric MaxPoints:5>"
    head = f"OrgDefinedId,Username,Last Name,First Name,{points},End-of-Line Indicator\n"
    row = "#{id},#{login},{last},{first},{{}},#\n"
    called(course, "grade", DOWNLOADS["brightspace"]().write(course / "in"))
    (course / "g.csv").write_text(exported(head, row, ("",) * 6))
    run = called(course, "export", "brightspace", "--into", "g.csv")
    assert run.returncode == 2 and "Jane Doe (10001) has 5 points: no row has this id" in run.stderr
    pairs = ("--match", "Jane Doe (10001)=jdoe", "--match", "Jane Doe (10002)=jdoe2")
    assert called(course, "export", "brightspace", "--into", "g.csv", *pairs).returncode == 0
    assert (course / "g-filled.csv").read_text() == exported(head, row, ("5", "3", "5", "3", "", ""))


@pytest.mark.parametrize(
    ("kind", "target", "names"),
    [
        ("moodle", "moodle", {"Jane Doe_10001", "Jane Doe_10002", "Zoë Müller_10003", "Max Poe_10005"}),
        ("moodle, flat", "moodle", {"Jane Doe_10001", "Jane Doe_10002", "Zoë Müller_10003", "Max Poe_10005"}),
        ("moodle, blind", "moodle", {"Participant_10001", "Participant_10004"}),
        ("canvas", "canvas", {"doejane_10001_90001_hw.html", "roerick_LATE_10004_90010_hw-1.html"}),
        ("canvas, anonymous", "canvas", {"anon_Ab3dE_90001_hw.html", "LATE_anon_Xy9zQ_90002_hw.html"}),
        ("gradescope", "gradescope", {"submission_340000001/", "submission_340000006/"}),
    ],
)
def test_everybody_of_a_download_gets_their_own_page(course: Path, kind: str, target: str, names: set[str]) -> None:
    called(course, "grade", DOWNLOADS[kind]().write(course / "in"))
    run = called(course, "export", "feedback", "--for", target, "--out", "f.zip", "--partial")
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(course / "f.zip") as made:
        found = [unicodedata.normalize("NFC", name) for name in made.namelist()]
    for name in names:
        assert any(each.startswith(name) for each in found), found
    assert run.stderr.count("left out: ") == (1 if target == "canvas" else 0)
