"""Downloads as each platform really lays them out, built from a class of six.

Every builder writes the same class: Jane Doe twice (two people of one name, where the platform tells them apart),
Zoë with a name in NFD, somebody late, somebody with two attempts, a PDF, and an empty file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.course import DOUBLE, HALVE, notebook

ZOE = unicodedata.normalize("NFD", "Zoë Müller")
FULL, HALF, NOTHING = 5.0, 3.0, 0.0


@cache
def right(number: int) -> str:
    """A notebook with full points that is this person's alone."""
    return notebook(f"OWNER = {number}", DOUBLE, HALVE)


@cache
def old(number: int) -> str:
    """An earlier attempt, which answers less."""
    return notebook(f"OWNER = {number}", DOUBLE)


@dataclass(frozen=True)
class Expected:
    """What is known of one student: who owns the notebook (None if it is unreadable), and what the platform says."""

    owner: int | None
    id: str = ""
    login: str = ""
    email: str = ""
    late: bool | None = None
    submitted: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Download:
    """A folder as a platform's download is unpacked: its files by path, and what is expected of it by student."""

    files: Mapping[str, str | bytes]
    expected: Mapping[str, Expected]
    title: str
    attempts: int = 0
    folder: str = "download"
    arguments: tuple[str, ...] = field(default=())

    def write(self, root: Path) -> Path:
        """Writes it below a folder; returns the folder to pass."""
        for name, content in self.files.items():
            path = root / self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root / self.folder


NO_NOTEBOOK = "The folder holds no notebook"
NOT_ONE = "It is a PDF, which is not a notebook"


def canvas() -> Download:
    files = {
        "doejane_10001_90001_hw.ipynb": right(1),
        "doejane_10002_90002_hw.ipynb": right(2),
        f"{unicodedata.normalize('NFD', 'müllerzoë')}_LATE_10003_90003_hw.ipynb": right(3),
        "roerick_10004_90004_hw.ipynb": old(4),
        "roerick_LATE_10004_90010_hw-1.ipynb": right(4),
        "poemax_10005_90005_report.pdf": b"%PDF",
        "langeva_10006_90006_hw.ipynb": "",
        "typedtom_10007_text.html": "<p>my answer</p>",
    }
    expected = {
        "doejane (10001)": Expected(1, "10001", late=False),
        "doejane (10002)": Expected(2, "10002", late=False),
        "müllerzoë": Expected(3, "10003", late=True),
        "roerick": Expected(4, "10004", late=True),
        "poemax": Expected(None, "10005", late=False, reason=NOT_ONE),
        "langeva": Expected(None, "10006", late=False, reason="The file is empty"),
        "typedtom": Expected(None, "10007", late=False, reason="This was typed into Canvas, and is not a notebook"),
    }
    return Download(files, expected, "Canvas", 8)


def canvas_anonymous() -> Download:
    files = {
        "anon_Ab3dE_90001_hw.ipynb": right(1),
        "LATE_anon_Xy9zQ_90002_hw.ipynb": right(2),
        "anon_Qq4rT_90003_hw.ipynb": old(3),
        "anon_Qq4rT_90009_hw-2.ipynb": right(3),
        "anon_Mm5nP_text.html": "<p>my answer</p>",
    }
    expected = {
        "anon_Ab3dE": Expected(1, "Ab3dE", late=False),
        "anon_Xy9zQ": Expected(2, "Xy9zQ", late=True),
        "anon_Qq4rT": Expected(3, "Qq4rT", late=False),
        "anon_Mm5nP": Expected(None, "Mm5nP", late=False, reason="This was typed into Canvas"),
    }
    return Download(files, expected, "Canvas", 5)


def moodle() -> Download:
    def folder(name: str, number: int) -> str:
        return f"{name}_{number}_assignsubmission_file_"

    files = {
        f"{folder('Jane Doe', 10001)}/hw.ipynb": right(1),
        f"{folder('Jane Doe', 10002)}/src/hw.ipynb": right(2),
        f"{folder(ZOE, 10003)}/hw.ipynb": right(3),
        "Zoë Müller_10003_assignsubmission_onlinetext_/onlinetext.html": "<p>see the file</p>",
        f"{folder('Rick Roe', 10004)}/hw.ipynb": right(4),
        f"{folder('Rick Roe', 10004)}/scratch.ipynb": notebook("print(1)", assignment=None),
        f"{folder('Max Poe', 10005)}/report.pdf": b"%PDF",
        f"{folder('Eva Lang', 10006)}/hw.ipynb": "",
    }
    return Download(files, moodle_expected(), "Moodle")


def moodle_expected() -> dict[str, Expected]:
    return {
        "Jane Doe (10001)": Expected(1, "10001"),
        "Jane Doe (10002)": Expected(2, "10002"),
        "Zoë Müller": Expected(3, "10003"),
        "Rick Roe": Expected(4, "10004"),
        "Max Poe": Expected(None, "10005", reason=NO_NOTEBOOK),
        "Eva Lang": Expected(None, "10006", reason="The file is empty"),
    }


def moodle_flat() -> Download:
    files = {
        "Jane Doe_10001_assignsubmission_file_hw.ipynb": right(1),
        "Jane Doe_10002_assignsubmission_file_hw.ipynb": right(2),
        f"{ZOE}_10003_assignsubmission_file_hw.ipynb": right(3),
        "Rick Roe_10004_assignsubmission_file_hw.ipynb": right(4),
        "Max Poe_10005_assignsubmission_file_report.pdf": b"%PDF",
        "Eva Lang_10006_assignsubmission_file_hw.ipynb": "",
    }
    expected = moodle_expected() | {"Max Poe": Expected(None, "10005", reason=NOT_ONE)}
    return Download(files, expected, "Moodle")


def moodle_blind() -> Download:
    files = {f"Participant_1000{n}_assignsubmission_file_/hw.ipynb": right(n) for n in (1, 2, 3)}
    files["Participant_10004_assignsubmission_file_/report.pdf"] = "%PDF"
    expected = {f"Participant 1000{n}": Expected(n, f"1000{n}") for n in (1, 2, 3)}
    expected["Participant 10004"] = Expected(None, "10004", reason=NO_NOTEBOOK)
    return Download(files, expected, "Moodle")


def gradescope() -> Download:
    def about(number: int, time: str, *people: tuple[str, str, str]) -> str:
        named = "".join(f"  - :name: {name}\n    :sid: '{sid}'\n    :email: {mail}\n" for name, sid, mail in people)
        return (
            f"submission_{number}:\n  :submitters:\n{named}  :created_at: {time}\n  :score: 1.0\n  :status: processed\n"
        )

    day = "2025-09-03 23:59:00.123456789 Z"
    jane, other = ("Jane Doe", "10001", "jane@example.org"), ("Jane Doe", "10002", "jdoe2@example.org")
    rick, eva = ("Rick Roe", "10004", "rick@example.org"), ("Eva Lang", "10006", "eva@example.org")
    metadata = (
        about(340000001, day, jane)
        + about(340000002, "2025-09-04 01:00:00 -07:00", other)
        + about(340000003, day, (ZOE, "10003", "zoe@example.org"))
        + about(340000004, "2025-09-05 10:00:00 Z", rick)
        + about(340000005, "2025-09-01 10:00:00 Z", rick)
        + about(340000006, day, ("Max Poe", "10005", "max@example.org"))
        + about(340000007, day, eva)
    )
    files = {
        "submission_metadata.yml": metadata,
        "submission_340000001/hw.ipynb": right(1),
        "submission_340000002/src/hw.ipynb": right(2),
        "submission_340000003/hw.ipynb": right(3),
        "submission_340000004/hw.ipynb": right(4),
        "submission_340000005/hw.ipynb": old(4),
        "submission_340000006/report.pdf": b"%PDF",
        "submission_340000007/hw.ipynb": "",
    }
    when = "2025-09-03T23:59:00.123456+00:00"
    expected = {
        "Jane Doe (10001)": Expected(1, "10001", email="jane@example.org", submitted=when),
        "Jane Doe (10002)": Expected(2, "10002", email="jdoe2@example.org", submitted="2025-09-04T01:00:00-07:00"),
        "Zoë Müller": Expected(3, "10003", email="zoe@example.org", submitted=when),
        "Rick Roe": Expected(4, "10004", email="rick@example.org", submitted="2025-09-05T10:00:00+00:00"),
        "Max Poe": Expected(None, "10005", email="max@example.org", submitted=when, reason=NO_NOTEBOOK),
        "Eva Lang": Expected(None, "10006", email="eva@example.org", submitted=when, reason="The file is empty"),
    }
    return Download(files, expected, "Gradescope", 7, folder="assignment_7_export")


def blackboard(assignment: str = "Homework") -> Download:
    files: dict[str, str | bytes] = {}

    def attempt(login: str, name: str, time: str, title: str, content: str | bytes, zone: str = "UTC") -> None:
        stem = f"{assignment}_{login}_attempt_{time}"
        year, _, day, *clock = time.split("-")
        date = f"Wednesday, September {int(day)}, {year} {':'.join(clock)} {zone}"
        files[f"{stem}_{title}"] = content
        files[f"{stem}.txt"] = (
            f"Name: {name} ({login})\r\nAssignment: {assignment}\r\nDate Submitted: {date}\r\n"
            "Current Grade: Needs Grading\r\n\r\nSubmission Field:\r\nName: Rick Roe (rroe)\r\n\r\n"
            f"Files:\r\n\tOriginal filename: {title}\r\n\tFilename: {stem}_{title}\r\n"
        )

    attempt("jdoe", "Jane Doe", "2025-09-03-23-59-00", "hw.ipynb", right(1))
    attempt("jdoe2", "Jane Doe", "2025-09-04-08-00-00", "hw.ipynb", right(2), "Somewhere")
    attempt("zmueller", ZOE, "2025-09-03-10-00-00", "hw.ipynb", right(3))
    attempt("r_roe", "Rick Roe", "2025-09-01-10-00-00", "hw.ipynb", old(4))
    attempt("r_roe", "Rick Roe", "2025-09-05-10-00-00", "other name.ipynb", right(4))
    attempt("mpoe", "Max Poe", "2025-09-03-10-00-00", "report.pdf", b"%PDF")
    attempt("elang", "Eva Lang", "2025-09-03-10-00-00", "hw.ipynb", "")
    ten = "2025-09-03T10:00:00+00:00"
    expected = {
        "Jane Doe (jdoe)": Expected(1, login="jdoe", submitted="2025-09-03T23:59:00+00:00"),
        "Jane Doe (jdoe2)": Expected(2, login="jdoe2"),
        "Zoë Müller": Expected(3, login="zmueller", submitted=ten),
        "Rick Roe": Expected(4, login="r_roe", submitted="2025-09-05T10:00:00+00:00"),
        "Max Poe": Expected(None, login="mpoe", submitted=ten, reason=NOT_ONE),
        "Eva Lang": Expected(None, login="elang", submitted=ten, reason="The file is empty"),
    }
    return Download(files, expected, "Blackboard", 7)


def brightspace() -> Download:
    def folder(number: int, name: str, time: str) -> str:
        return f"{number}-90001 - {name} - {time}"

    files = {
        f"{folder(10001, 'Jane Doe', 'Sep 3, 2025 1159 PM')}/hw.ipynb": right(1),
        f"{folder(10002, 'Jane Doe', 'Sep 3, 2025 905 AM')}/hw.ipynb": right(2),
        f"{folder(10003, ZOE, 'Sep 3, 2025 1201 AM')}/hw.ipynb": right(3),
        f"{folder(10004, 'Rick Roe', 'Sep 5, 2025 100 PM')}/hw.ipynb": right(4),
        f"{folder(10004, 'Rick Roe', 'Sep 5, 2025 1259 PM')}/hw.ipynb": old(4),
        f"{folder(10005, 'Max Poe', 'Sep 3, 2025 905 AM')}/report.pdf": b"%PDF",
        f"{folder(10006, 'Eva Lang', 'Sep 3, 2025 905 AM')}/hw.ipynb": "",
        "index.html": "<html></html>",
    }
    return Download(files, moodle_expected(), "Brightspace", 7)


def brightspace_flat() -> Download:
    files = {
        "10001-90001 - Jane Doe - Sep 3, 2025 1159 PM - hw.ipynb": right(1),
        "10002-90001 - Jane Doe - Sep 3, 2025 1159 PM - my - hw.ipynb": right(2),
        f"10003-90001 - {ZOE} - Sep 3, 2025 1159 PM - hw.ipynb": right(3),
        "10004-90001 - Rick Roe - Sep 5, 2025 100 PM - hw 2.ipynb": right(4),
        "10004-90001 - Rick Roe - Sep 5, 2025 1259 PM - hw.ipynb": old(4),
        "10005-90001 - Max Poe - Sep 3, 2025 1159 PM - report.pdf": b"%PDF",
        "10006-90001 - Eva Lang - Sep 3, 2025 1159 PM - hw.ipynb": "",
    }
    expected = moodle_expected() | {"Max Poe": Expected(None, "10005", reason=NOT_ONE)}
    return Download(files, expected, "Brightspace", 7)


def logins(*, ids: bool, reason: str = NO_NOTEBOOK, submitted: str | None = None) -> dict[str, Expected]:
    """The class by login."""
    owners = {"jdoe": 1, "jdoe2": 2, "zoë": 3, "rroe": 4, "mpoe": None, "elang": None}
    reasons = {"mpoe": reason, "elang": "The file is empty"}
    return {
        login: Expected(owner, login if ids else "", login, submitted=submitted, reason=reasons.get(login, ""))
        for login, owner in owners.items()
    }


def nbgrader() -> Download:
    stamp = "2025-09-03 23:59:00.123456 UTC"
    people = {"jdoe": right(1), "jdoe2": right(2), unicodedata.normalize("NFD", "zoë"): right(3), "rroe": right(4)}
    files: dict[str, str | bytes] = {f"{who}/hw1/hw.ipynb": text for who, text in people.items()}
    files |= {f"{who}/hw1/timestamp.txt": stamp for who in (*people, "mpoe", "elang")}
    files |= {"mpoe/hw1/report.pdf": b"%PDF", "elang/hw1/hw.ipynb": ""}
    files["rroe/hw1/scratch.ipynb"] = notebook("print(1)", assignment=None)
    expected = logins(ids=True, submitted="2025-09-03T23:59:00.123456+00:00")
    return Download(files, expected, "nbgrader", folder="submitted")


def nbgrader_course() -> Download:
    inner = nbgrader()
    files = {f"submitted/{name}": content for name, content in inner.files.items()}
    files |= {"source/hw1/hw.ipynb": right(9), "release/hw1/hw.ipynb": right(9), "gradebook.db": b"x"}
    return Download(files, inner.expected, "nbgrader", folder="course101")


def exchange() -> Download:
    def folder(who: str, time: str) -> str:
        return f"{who}+hw1+2025-09-03 {time} UTC"

    files = {
        f"{folder('jdoe', '23:59:00.123456')}/hw.ipynb": right(1),
        f"{folder('jdoe2', '10:00:00.000000')}+aBc9/hw.ipynb": right(2),
        f"{folder('zoe', '10:00:00.000000')}/hw.ipynb": right(3),
        f"{folder('rroe', '08:00:00.000000')}/hw.ipynb": old(4),
        f"{folder('rroe', '12:00:00.000000')}/hw.ipynb": right(4),
        f"{folder('mpoe', '10:00:00.000000')}/report.pdf": b"%PDF",
        f"{folder('elang', '10:00:00.000000')}/hw.ipynb": "",
    }
    ten = "2025-09-03T10:00:00+00:00"
    expected = {
        "jdoe": Expected(1, "jdoe", "jdoe", submitted="2025-09-03T23:59:00.123456+00:00"),
        "jdoe2": Expected(2, "jdoe2", "jdoe2", submitted=ten),
        "zoe": Expected(3, "zoe", "zoe", submitted=ten),
        "rroe": Expected(4, "rroe", "rroe", submitted="2025-09-03T12:00:00+00:00"),
        "mpoe": Expected(None, "mpoe", "mpoe", submitted=ten, reason=NO_NOTEBOOK),
        "elang": Expected(None, "elang", "elang", submitted=ten, reason="The file is empty"),
    }
    return Download(files, expected, "nbgrader", 7, folder="inbound")


def jupyterhub() -> Download:
    nfd = unicodedata.normalize("NFD", "zoë")
    files: dict[str, str | bytes] = {
        "jdoe/week-1/hw.ipynb": right(1),
        "jdoe2/week-1/deep/hw.ipynb": right(2),
        f"{nfd}/week-1/hw.ipynb": right(3),
        "rroe/week-1/hw.ipynb": right(4),
        "rroe/scratch.ipynb": notebook("print(1)", assignment=None),
        "mpoe/week-1/report.pdf": b"%PDF",
        "elang/week-1/hw.ipynb": "",
    }
    return Download(files, logins(ids=False), "JupyterHub", folder="homes")


def github() -> Download:
    files: dict[str, str | bytes] = {
        "hw1-jdoe/hw.ipynb": right(1),
        "hw1-jdoe2/src/deep/hw.ipynb": right(2),
        "hw1-zoe-m/hw.ipynb": right(3),
        "hw1-rroe/hw.ipynb": right(4),
        "hw1-rroe/scratch.ipynb": notebook("print(1)", assignment=None),
        "hw1-rroe/README.md": "# hw1",
        "hw1-mpoe/report.pdf": b"%PDF",
        "hw1-elang/hw.ipynb": "",
    }
    files |= {f"{name.split('/')[0]}/.git/HEAD": "ref: refs/heads/main" for name in files}
    expected = logins(ids=False)
    expected["zoe-m"] = Expected(3, "", "zoe-m")
    del expected["zoë"]
    return Download(files, expected, "GitHub Classroom", folder="hw1-submissions")


def google() -> Download:
    files = {
        "Jane Doe - hw.ipynb": right(1),
        "John - Paul Doe - hw.ipynb": right(2),
        f"{ZOE} - hw.ipynb": right(3),
        "Rick Roe - hw (1).ipynb": right(4),
        "Max Poe - report.pdf": b"%PDF",
        "Eva Lang - hw.ipynb": "",
        "hw (1).ipynb": right(9),
    }
    expected = {
        "Jane Doe": Expected(1),
        "John - Paul Doe": Expected(2),
        "Zoë Müller": Expected(3),
        "Rick Roe": Expected(4),
        "Eva Lang": Expected(None, reason="The file is empty"),
        "hw (1)": Expected(None, reason="Its name does not say whose it is"),
    }
    return Download(files, expected, "Google Classroom")


def plain() -> Download:
    files = {
        "alice.ipynb": right(1),
        "bob/homework.ipynb": right(2),
        f"{ZOE}/homework.ipynb": right(3),
        "dan/homework.ipynb": right(4),
        "dan/scratch.ipynb": notebook("print(1)", assignment=None),
        "eve/homework.pdf": b"%PDF",
        "fay.ipynb": "",
        "notes.txt": "a note",
    }
    expected = {
        "alice": Expected(1),
        "bob": Expected(2),
        "Zoë Müller": Expected(3),
        "dan": Expected(4),
        "eve": Expected(None, reason="The folder holds no notebook, script or zip."),
        "fay": Expected(None, reason="The file is empty"),
    }
    return Download(files, expected, "Plain folder")


DOWNLOADS: Mapping[str, Callable[[], Download]] = {
    "canvas": canvas,
    "canvas, anonymous": canvas_anonymous,
    "moodle": moodle,
    "moodle, flat": moodle_flat,
    "moodle, blind": moodle_blind,
    "gradescope": gradescope,
    "blackboard": blackboard,
    "blackboard, with an underscore": lambda: blackboard("Home_work_1"),
    "brightspace": brightspace,
    "brightspace, flat": brightspace_flat,
    "nbgrader": nbgrader,
    "nbgrader, a course": nbgrader_course,
    "nbgrader, its exchange": exchange,
    "jupyterhub": jupyterhub,
    "github": github,
    "google": google,
    "plain": plain,
}
