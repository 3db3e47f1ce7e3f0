"""The documentation builds, describes everything that the code has, and works from a folder without a network."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import msgspec
import pytest

from gradetape import checks, records
from gradetape.checks import corners
from gradetape.cli import cli
from gradetape.course import config
from gradetape.course.assignments import AssignmentSpec
from gradetape.course.strict_yaml import every_key
from gradetape.doctor import Finding
from gradetape.exports import GradeTable, as_json
from gradetape.gradebook import BookGrade, Disagreement, MergeReport, OverrideDifference, PartDifference
from gradetape.grading import merge_words
from gradetape.grading.merging import Merge
from gradetape.records import Status, Unreadable
from gradetape.verify import Proof
from gradetape.verify.mutation import MutationReport
from scripts import limits_page
from tests.commands import commands
from tests.factories import a_tiny_grade

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a broken link or anchor would end the build."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", os.fspath(folder)]
    subprocess.run(build, cwd=ROOT, check=True, timeout=120)
    return folder


def words(page: Path) -> str:
    """The text of a page, without its markup."""
    return unescape(re.sub("<[^>]+>", "", page.read_text("utf-8")))


class _Wanted(HTMLParser):
    """What a page loads (`src`, style sheets), and the targets of its links."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loads += [found["src"] or ""] if "src" in found else []
        target = found.get("href") or ""
        (self.loads if tag == "link" else self.leads).append(target)


def _pages(site: Path) -> Iterator[tuple[Path, _Wanted]]:
    for page in sorted(site.rglob("*.html")):
        if page.name != "404.html":  # it is served under any address, and so has absolute links
            yield page, _Wanted(page)


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(_pages(site))
    assert len(pages) > 10
    assert {url for _, wanted in pages for url in wanted.loads if urlsplit(url).netloc} == set()


def test_every_link_leads_to_a_file_of_the_site(site: Path) -> None:
    for page, wanted in _pages(site):
        links = [urlsplit(link) for link in (*wanted.leads, *wanted.loads) if link]
        inner = {unquote(link.path) for link in links if not link.netloc and link.scheme in ("", "file") and link.path}
        assert inner
        assert [path for path in inner if not (page.parent / path).is_file()] == []


def test_every_command_is_described(site: Path) -> None:
    text = words(site / "reference" / "commands.html")
    assert [path for path, _ in commands(cli, "gradetape") if f"Usage: {path} " not in text] == []


def test_every_key_and_every_word_of_the_vocabulary_is_described(site: Path) -> None:
    keys = words(site / "reference" / "configuration.html")
    named = [name for name, _ in (*every_key(config.Config), *every_key(AssignmentSpec))]
    assert [name for name in named if name not in keys] == []
    text = words(site / "reference" / "vocabulary.html")
    assert [name for name in checks.__all__ if name not in text] == []
    inputs = words(site / "reference" / "corners.html")
    names = [name for name, each in vars(corners).items() if inspect.isfunction(each) and not name.startswith("_")]
    assert len(names) > 5 and [name for name in names if f"{name}(" not in inputs] == []


def test_every_key_says_what_it_means() -> None:
    undescribed = [
        name for name, field in (*every_key(config.Config), *every_key(AssignmentSpec)) if not field.description
    ]
    assert undescribed == []


def test_the_columns_of_the_table_are_described() -> None:
    columns = GradeTable.of([], [], max_points=1, final_scores={}).names
    documented = re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "reference" / "table.md").read_text(), re.MULTILINE)
    assert documented == list(columns)


def _keys(value: Any) -> set[str]:
    """Every key of an object, those inside too, but for the questions' ids."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = {key for key in value if not key.startswith("q0")} if isinstance(value, dict) else set()
    return own.union(*map(_keys, inner))


def a_merge() -> Merge:
    """A merge in which everything differs that can."""
    grade = BookGrade(gradebook="a", created="2026-01-01", status=Status.GRADED, points={})
    disagreement = Disagreement(
        assignment="tiny", student="ada", same_file=True, questions=(), counts=grade, others=(grade,)
    )
    part = PartDifference(assignment="tiny", part="checks", questions=(), gradebooks=())
    override = OverrideDifference(assignment="tiny", student="ada", question="q01_double", points={}, counts=1)
    report = MergeReport(
        attempts=1, known=0, results=0, overrides=0, disagreements=(disagreement,), differences=(part,),
        override_differences=(override,),
    )  # fmt: skip
    return Merge(into="c", report=report, assignments={}, attention=0, index=Path("index.html"))


def test_every_key_of_the_json_is_described() -> None:
    broken = Unreadable(student="bob", file="bob.ipynb", sha256="cd", reason="It is empty.")
    objects = [
        as_json([a_tiny_grade("alice")], [broken], "tiny", "namespaces", max_points=5),
        Proof(assignment="tiny").as_json(),
        MutationReport(assignment="tiny", questions=("q01_double",), results=()).as_json(),
        merge_words.as_json(a_merge()),
        {"ok": True, "findings": [{name: "" for name in Finding.__struct_fields__}]},
    ]
    text = (ROOT / "docs" / "reference" / "json.md").read_text()
    assert [key for each in objects for key in _keys(each) if not re.search(f'[`"]{key}[`"]', text)] == []


@pytest.mark.parametrize("record", limits_page.RESULTS)
def test_every_field_of_a_result_is_described(record: type[msgspec.Struct]) -> None:
    assert tuple(limits_page.RESULTS[record]) == record.__struct_fields__


def test_no_result_is_left_out() -> None:
    assert {records.Grade, records.CheckResult, records.CellEvent, Unreadable} <= set(limits_page.RESULTS)


def test_every_limit_is_described_with_its_default_and_range(site: Path) -> None:
    text = words(site / "reference" / "limits.html")
    assert [name for name, _ in every_key(config.LimitsConfig) if name not in text] == []
    assert "256 to 1,048,576" in text and "twice cell_s" in text


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_is_found() -> None:
    paths = {path for path, _ in commands(cli, "gradetape")}
    assert {"gradetape", "gradetape grade", "gradetape new question", "gradetape image build"} <= paths


@pytest.mark.parametrize(("path", "command"), commands(cli, "gradetape"))
def test_every_commands_help_has_an_example(path: str, command: click.Command) -> None:
    text = command.get_help(click.Context(command, info_name=path))
    example = text.partition("Example")[2]
    assert f"  {path}" in example, "an example calls the command itself"


@pytest.mark.parametrize(("path", "command"), commands(cli, "gradetape"))
def test_every_option_says_what_it_does(path: str, command: click.Command) -> None:
    silent = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
    assert silent == []
