"""Whatever a class list lacks, no submission of any platform goes to a wrong person of it."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gradetape.course import assignments as courses
from gradetape.course.assignments import Course
from gradetape.errors import GradetapeError
from gradetape.grading.enrolment import Enrolment, enrolled
from gradetape.grading.selection import select
from tests.course import tiny
from tests.layouts import DOWNLOADS, Download, old, right

COLUMNS = ("name", "id", "email", "login", "section", "canvas_id", "brightspace_id", "github")
NAMES = {1: "Jane Doe", 2: "Jane Doe", 3: "Zoë Müller", 4: "Rick Roe"}
# Who is in the list and has handed in nothing, with names and ids that others could be taken for.
OTHERS = (
    {"name": "Rick Roe", "id": "x1"}, {"name": "doejane", "id": "x2"}, {"name": "Jane  Doe", "login": "rroe"},
    {"name": "10001", "id": "x4"}, {"name": "Zoe Muller", "id": "x5"}, {"name": "jdoe", "github": "elsewhere"},
    {"name": "Roe Rick", "canvas_id": "99"},
)  # fmt: skip
KINDS = st.sampled_from(sorted(DOWNLOADS))


def truth(download: Download) -> dict[int, dict[str, str]]:
    """What is true of the four who have handed in a notebook, by their numbers."""
    layout = {"Canvas": "canvas_id", "Brightspace": "brightspace_id", "GitHub Classroom": "github"}.get(download.title)
    found = {}
    for student, each in download.expected.items():
        if each.owner in NAMES:
            name = re.sub(r" \(\w+\)$", "", student)
            real = name if " " in name and not name.startswith("Participant") else NAMES[each.owner]
            row = {"name": real, "section": "A", "id": f"u{each.owner}", "email": each.email or f"{each.owner}@x.org"}
            row |= {"login": each.login} if each.login and layout != "github" else {}
            row |= {"id": each.id} if download.title in ("Gradescope", "nbgrader") else {}
            row |= {layout: each.login if layout == "github" else each.id} if layout else {}
            found[each.owner] = row
    return found


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    yield courses.find(tiny(tmp_path_factory.mktemp("mixed") / "course"))


def given_to(course: Course, folder: Path) -> dict[int, int]:
    """The row that each notebook's owner is given, by the owner's number; nothing if it is refused."""
    course = course.with_class_list(course.root / "roster.csv", None)
    try:
        enrolment = Enrolment.of(course)
        assert enrolment is not None
        selection = enrolled(enrolment, select([folder]))
    except GradetapeError:
        return {}
    rows = {member.student: member.row.number for member in enrolment.people.members}
    owner = {text: number for number in NAMES for text in (right(number), old(number))}
    texts = [(each, Path(each.file).read_text()) for each in selection.submissions]
    return {owner[text]: rows[each.student] for each, text in texts if text in owner}


def write(course: Course, rows: list[dict[str, str]]) -> None:
    lines = [",".join(COLUMNS), *(",".join(row.get(column, "") for column in COLUMNS) for row in rows)]
    (course.root / "roster.csv").write_text("\n".join(lines) + "\n")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=KINDS, others=st.sets(st.integers(0, len(OTHERS) - 1)), seed=st.integers(0, 999))
def test_nobody_gets_a_submission_of_somebody_else(course: Course, kind: str, others: set[int], seed: int) -> None:
    draw, download = random.Random(seed), DOWNLOADS[kind]()
    shutil.rmtree(course.root / "in", ignore_errors=True)
    folder = download.write(course.root / "in")
    known = truth(download)
    lost = draw.choice([0.0, 0.2, 0.6])
    rows = [
        (number, {column: text for column, text in row.items() if column == "name" or draw.random() >= lost})
        for number, row in known.items()
    ]
    unsaid = {text for row in known.values() for text in row.values()} - {
        text for _, row in rows for text in row.values()
    }
    # a list that gives a person's missing login or id to somebody else, even as a name, names the wrong person
    assume(not any(unsaid & {OTHERS[each].get("login"), OTHERS[each]["name"]} for each in others))
    rows += [(0, dict(OTHERS[each])) for each in others]
    draw.shuffle(rows)
    write(course, [row for _, row in rows])
    places = {number: place for place, (number, _) in enumerate(rows, start=2) if number}
    for owner, row in given_to(course, folder).items():
        assert row == places[owner], f"the notebook of {known[owner]} is given to row {row}"


@pytest.mark.parametrize("kind", sorted(set(DOWNLOADS) - {"moodle", "moodle, flat", "moodle, blind", "plain"}))
def test_with_a_whole_class_list_everybody_is_found(course: Course, kind: str) -> None:
    """The property would hold if everything were refused. Moodle's numbers are not those of people."""
    download = DOWNLOADS[kind]()
    known = truth(download)
    if "anonymous" in kind:
        known = {number: row for number, row in known.items() if "canvas_id" in row}
    write(course, list(known.values()))
    folder = download.write(course.root / "in")
    places = {number: place for place, number in enumerate(known, start=2)}
    found = given_to(course, folder)
    assert found == {number: places[number] for number in found} and len(found) >= 3
