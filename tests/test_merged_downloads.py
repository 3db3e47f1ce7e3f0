"""Whatever is mixed, moved or missing, no submission goes to a wrong person with exit status 0."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradetape.errors import GradetapeError
from gradetape.grading.selection import select
from gradetape.records import Submission
from tests.course import notebook
from tests.layouts import DOWNLOADS, Download, old, right

STRAYS = (
    "Jane Doe - hw.ipynb",
    "hw (1).ipynb",
    "notes - hw.ipynb",
    "zoe/hw.ipynb",
    "zoe/hw1/hw.ipynb",
    "scratch.ipynb",
    "ALICE.ipynb",
    "Jane Doe .ipynb",
    "Jane Doe (10001).ipynb",
    "10002.ipynb",
    "\N{SLIGHTLY SMILING FACE}.ipynb",
    "zoe\u0308.ipynb",
)

NAMED = {"Jane Doe - hw.ipynb": "Jane Doe", "notes - hw.ipynb": "notes", "zoe\u0308.ipynb": "zo\u00eb"}
# What the platform writes before the name that a student has given, in layouts whose entries are files.
GIVEN = re.compile(
    r"[^_]+_(LATE_)?\d+_\d+_|(LATE_)?anon_[^_]+_\d+_|[^_]+_\d+_assignsubmission_file_|.+?_attempt_\d{4}(-\d\d){5}_"
    r"|\d+-\d+ - .+? - .+?M - "
)


def owners(download: Download, content: str | bytes) -> set[str]:
    """The names that the owner of a notebook may have, with or without the id behind it."""
    names = {
        name
        for name, each in download.expected.items()
        if each.owner and content in (right(each.owner), old(each.owner))
    }
    return names | {re.sub(r" \([^)]*\)$", "", name) for name in names}


def entry_of(name: str) -> str:
    """What belongs together: an attempt's files under Blackboard, else a folder or a file."""
    attempt = re.match(r".+?_attempt_\d{4}(-\d\d){5}", name)
    return attempt[0] if attempt else "/".join(name.split("/")[: 2 if name.startswith("submitted/") else 1])


def readable(download: Download) -> dict[str, str | bytes]:
    """A download without those who handed in nothing that can be read: it may be graded without a word."""
    bad = {entry_of(name) for name, content in download.files.items() if content in ("", b"%PDF", "%PDF")}
    bad |= {entry_of(name) for name in download.files if name.endswith("_text.html")}
    bad |= {"hw (1).ipynb"} if download.title == "Google Classroom" else set()
    return {name: content for name, content in download.files.items() if entry_of(name) not in bad}


class Mix:
    """Parts of several downloads in one folder, and who may own each notebook, by its path."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.draw = random.Random(seed)
        self.owners: dict[str, set[str]] = {}

    def add(self, kind: str, *, apart: bool, share: float) -> None:
        """Adds some entries of a download, in the folder itself or in one of their own."""
        download = DOWNLOADS[kind]()
        files = readable(download)
        entries = sorted({entry_of(name) for name in files})
        kept = {entry for entry in entries if self.draw.random() < share} | set(self.draw.sample(entries, 1))
        # A plain folder within the one that is passed is a student's.
        base = self.root / (download.folder if apart and kind != "plain" else "")
        # A folder with one file is a student's, unless the file's name says more than Google Classroom's does.
        in_a_folder = {download.folder} if apart and kind == "google" else set[str]()
        for name, content in files.items():
            if entry_of(name) in kept:
                path = base / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
                self.owners[str(path)] = owners(download, content) | in_a_folder

    def stray(self, name: str) -> None:
        """Adds a file that belongs to nobody, or to the person whom its folder or its plain name names."""
        path = self.root / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(notebook(f"STRAY = {name!r}"))
            self.owners[str(path)] = {"zoe"} if name.startswith("zoe/") else {NAMED.get(name, Path(name).stem.strip())}


def wrong(mix: Mix) -> list[tuple[str, str]]:
    """The notebooks that would be graded for somebody else with exit status 0."""
    try:
        selection = select([mix.root])
    except GradetapeError:
        return []
    if selection.unreadable:
        return []
    return [(each.student, each.file) for each in selection.submissions if each.student not in mix.owners[each.file]]


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("mixes")


KINDS = st.sampled_from(sorted(DOWNLOADS))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.tuples(KINDS, st.booleans(), st.sampled_from([0.2, 0.6, 1.0])), min_size=1, max_size=3),
    strays=st.lists(st.sampled_from(STRAYS), max_size=2),
    seed=st.integers(0, 10**6),
)
def test_no_mixture_gives_a_submission_to_a_wrong_person_with_exit_status_0(
    root: Path, parts: list[tuple[str, bool, float]], strays: list[str], seed: int
) -> None:
    folder = root / "mix"
    shutil.rmtree(folder, ignore_errors=True)
    mix = Mix(folder, seed)
    for kind, apart, share in parts:
        mix.add(kind, apart=apart, share=share)
    for name in strays:
        mix.stray(name)
    assert wrong(mix) == []


@pytest.mark.parametrize("kind", DOWNLOADS)
def test_a_download_without_bad_files_is_graded_without_a_word(root: Path, kind: str) -> None:
    """The property would hold if everything were refused."""
    mix = Mix(root / "whole", 0)
    mix.add(kind, apart=True, share=1.0)
    selection = select([mix.root])
    assert not selection.unreadable and len(selection.submissions) >= 3 and wrong(mix) == []
    latest = {hashlib.sha256(right(number).encode()).hexdigest() for number in range(1, 5)}
    assert {each.sha256 for each in selection.submissions} <= latest
    assert all(isinstance(each, Submission) for each in selection.submissions)


def forged(name: str, victim: str) -> str:
    """A notebook's path in which all that its student can name is the path of another student's notebook."""
    if "/" not in name:
        given = GIVEN.match(name)
        assert given, name
        return given[0] + victim.replace("/", " ")
    deep = name.startswith("submitted/") + ("/hw1/" in name)
    return "/".join(name.split("/")[: 1 + deep]) + "/" + victim


@pytest.mark.parametrize("kind", [kind for kind in DOWNLOADS if kind not in ("google", "plain")])
def test_who_names_everything_as_somebody_else_stays_who_he_is(root: Path, kind: str) -> None:
    """The file, the folders in the student's folder, and the metadata; in a plain folder the name is the person."""
    download = DOWNLOADS[kind]()
    files = {name: text for name, text in readable(download).items() if not name.startswith(("source/", "release/"))}
    books = [name for name, text in files.items() if owners(download, text)]
    assert len(books) >= 3
    for name, victim in itertools.permutations(books, 2):
        if owners(download, files[name]) & owners(download, files[victim]):
            continue
        folder = root / "forged"
        shutil.rmtree(folder, ignore_errors=True)
        mix = Mix(folder, 0)
        for each, text in files.items():
            path = folder / (forged(name, victim) if each == name else each)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(impersonating(str(text), victim) if each == name else str(text))
            mix.owners[str(path)] = owners(download, text)
        assert wrong(mix) == [], (name, victim)


def impersonating(text: str, victim: str) -> str:
    """A notebook whose metadata say that it is somebody else's."""
    made = json.loads(text)
    who = re.sub(r"[_/].*", "", victim)
    made["metadata"] |= {"name": who, "student": who, "authors": [{"name": who}], "title": f"{who} - hw"}
    made["metadata"]["gradetape"] |= {"student": who, "id": "10002", "email": "jdoe2@example.org"}
    return json.dumps(made)
