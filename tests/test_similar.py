"""Pairs of submissions that share code: what counts, what does not, and how it is shown."""

from __future__ import annotations

import json
import re
import stat
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from gradetape.gradebook import Gradebook
from gradetape.records import Cell, Grade
from gradetape.report import similar_pages, slug
from gradetape.report.similar import NO_VERDICT
from gradetape.similar import LONGEST, Given, SimilarPair, similar_pairs
from gradetape.similar.tokens import stream_of
from tests.books import recorded
from tests.browsers import open_browser
from tests.course import called
from tests.desk_client import DeskClient
from tests.factories import NASTY, a_tiny_grade

STARTER = textwrap.dedent('''\
    def starter(features, labels, batch_size, seed):
        """Everybody was given this."""
        indices = np.arange(len(features))
        np.random.default_rng(seed).shuffle(indices)
        return [features[indices[at : at + batch_size]] for at in range(0, len(indices), batch_size)]
''')
ANSWER = textwrap.dedent("""\
    def halve(values, rounded=False):
        total = np.zeros_like(values)
        for place, value in enumerate(values):
            total[place] = value * 0.5 if value > 0 else -(-value / 2)
        if rounded:
            total = np.floor(total + 1e-9)
        return total[:, None] + tf.constant([[1.0], [2.0]])
""")
OTHER = textwrap.dedent("""\
    class Halver:
        def __init__(self):
            self.calls = []

        def __call__(self, x):
            self.calls.append(x)
            return keras.ops.divide(keras.ops.convert_to_tensor(x), 2)

    halve = Halver()
    print([halve(each) for each in (1, 2, 3)], sep="; ")
""")
# The same with other names, comments and line breaks.
RENAMED = textwrap.dedent("""\
    def my_function(xs, whole=False):  # my own work
        res = np.zeros_like(xs)

        for i, x in enumerate(xs):
            # positive or negative
            res[i] = x * 0.5 if x > 0 else -(-x / 2)
        if whole:
            res = np.floor(
                res + 1e-9)
        return res[:, None] + tf.constant([[1.0], [2.0]])
""")


def handed_in(student: str, *sources: str) -> Grade:
    cells = tuple(Cell(source=source, question="q02_halve") for source in sources)
    return msgspec.structs.replace(a_tiny_grade(student), key=slug(student), cells=cells)


def pairs_of(*sources: str, given: str = "", **how: float) -> list[SimilarPair]:
    grades = [handed_in(f"s{number}", source) for number, source in enumerate(sources)]
    return similar_pairs(grades, Given((given,)), **how)  # type: ignore[arg-type]


def test_renamed_and_reformatted_code_is_found_and_other_code_is_not() -> None:
    [pair] = pairs_of(ANSWER, OTHER, RENAMED)
    assert [side.student for side in pair.sides] == ["s0", "s2"]
    assert [side.share for side in pair.sides] == [1.0, 1.0]
    assert pair.questions == ("q02_halve",)


def test_the_lines_of_both_sides_are_those_with_shared_code() -> None:
    [pair] = pairs_of(f"{OTHER}\n{ANSWER}", RENAMED)
    first, second = pair.sides
    assert first.lines == {1: tuple(range(12, 19))}
    assert second.lines == {1: (1, 2, 4, 6, 7, 8, 9, 10)}
    assert first.share < second.share == 1.0


def test_what_everybody_was_given_explains_what_is_shared() -> None:
    assert len(pairs_of(STARTER + ANSWER, STARTER + OTHER)) == 1
    assert pairs_of(STARTER + ANSWER, STARTER + OTHER, given=STARTER) == []
    assert pairs_of(STARTER.replace("labels", "targets"), STARTER, given=STARTER) == []


def test_what_a_fifth_of_the_class_wrote_says_nothing_about_two_of_them() -> None:
    many = [f"{ANSWER}\nprint({number})" for number in range(9)]
    assert pairs_of(*many, OTHER) == []
    few = [f"{ANSWER}\nprint({number})" for number in range(3)]
    assert len(pairs_of(*few, OTHER)) == 3


def test_who_shares_what_few_have_comes_first() -> None:
    often = [f"{ANSWER}\nprint({number})" for number in range(5)]
    rare = [f"{OTHER}\nprint({number})" for number in range(2)]
    found = pairs_of(*often, *rare)
    assert [side.student for side in found[0].sides] == ["s5", "s6"] or found[0].tokens > found[1].tokens
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)
    assert pairs_of(*often, *rare, most=2) == found[:2]


def test_a_share_that_is_too_small_is_left_out() -> None:
    both = (f"{OTHER}\n{ANSWER}", f"{RENAMED}\n{STARTER}")
    [pair] = pairs_of(*both)
    assert 0.3 < pair.share < 0.8
    assert pairs_of(*both, at_least=0.9) == []


@pytest.mark.parametrize("count", [0, 1])
def test_without_two_submissions_there_are_no_pairs(count: int) -> None:
    assert pairs_of(*[ANSWER] * count) == []
    assert pairs_of("", "x = 1", "# nothing") == []


HOSTILE = {
    "quotes that never end": '"""' + "\\" * 20_001,
    "nothing but quotes": "'\"" * 100_000,
    "nothing but brackets": "(" * 200_000,
    "spaces": "  \n" * 130_000,
    "the same word": "x " * 200_000,
    "targets": "a.b," * 100_000 + "= 1",
    "lone surrogates": "\ud800 " * 1000,
    "a digit and letters": "1" + "e" * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_any_text_is_divided_in_a_time_that_its_length_bounds(text: str) -> None:
    begin = time.process_time()
    found = pairs_of(text, f"{text} ", ANSWER)
    assert time.process_time() - begin < 20
    assert all(0 <= side.share <= 1 for pair in found for side in pair.sides)


def test_of_a_very_long_submission_the_beginning_is_read() -> None:
    assert len(stream_of([(1, "x = 1\n" * LONGEST)]).codes) <= LONGEST // 2
    assert stream_of([(1, "#" * LONGEST), (2, "x = 1")]).codes.size == 0


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Two students whose answers to q02 are alike, one whose is not, and one with a hostile name and code."""
    cells = {"alice": ANSWER, "bob": RENAMED, "erin": OTHER, NASTY: f"{OTHER}\n# {NASTY}"}
    grades = [
        msgspec.structs.replace(
            handed_in(student, source),
            cells=(Cell(source="import numpy as np"), Cell(source=source, question="q02_halve")),
        )
        for student, source in cells.items()
    ]
    return recorded(tmp_path, *grades)


def test_the_command_lists_pairs_and_says_that_similarity_is_no_verdict(course: Path) -> None:
    run = called(course, "similar")
    assert run.returncode == 0
    assert re.search(r"alice +100 % +bob +100 %", run.stdout)
    assert "2 pairs among 4 submissions" in run.stdout
    assert "Similarity is no verdict" in run.stderr
    assert "\x1b[2J" not in run.stdout


def test_the_desk_leads_to_these_pages_and_to_no_other_file(course: Path) -> None:
    client = DeskClient(course)
    dashboard, place = "/staff/tiny/index.html", "/staff/tiny/similar"
    link = '<a href="similar/index.html">Similar submissions</a> as of 20'
    assert link not in client.get(dashboard).text and client.get(f"{place}/index.html").status_code == 404
    called(course, "similar")
    folder = course / "results" / "staff" / "tiny" / "similar"
    (folder / "link.html").symlink_to(course / "grader_config.yml")
    assert link in client.get(dashboard).text
    assert 'href="../alice.html"' in client.get(f"{place}/001.html").text
    for name in ("link.html", "..%2Findex.html", "%2E%2E%2F%2E%2E%2Fgrades.csv", "999.html"):
        assert client.get(f"{place}/{name}").status_code == 404, name
    client.cookie += "; gradetape-names=hidden"
    assert link not in client.get(dashboard).text and "alice" not in client.get(f"{place}/001.html").text


def test_a_question_is_found_by_a_prefix_and_another_one_shares_nothing(course: Path) -> None:
    assert "2 pairs among" in called(course, "similar", "--question", "q02").stdout
    assert "0 pairs among" in called(course, "similar", "--question", "q01").stdout


def test_a_file_that_students_were_given_explains_it(course: Path) -> None:
    (course / "lecture.md").write_text(f"# Halving\n\n```python\n{ANSWER}```\n", "utf-8")
    assert "alice" not in called(course, "similar", "--given", "lecture.md").stdout
    (course / "lecture.py").write_text(OTHER, "utf-8")
    both = called(course, "similar", "--given", "lecture.md", "--given", "lecture.py")
    assert "0 pairs among" in both.stdout


def test_a_file_that_cannot_be_read_is_named(course: Path) -> None:
    (course / "lecture.ipynb").write_text("{", "utf-8")
    for name in ("lecture.ipynb", "missing.md"):
        run = called(course, "similar", "--given", name)
        assert run.returncode == 2
        assert f"{name} cannot be read as a text that students were given" in run.stderr


def test_the_json_has_everything_that_the_page_shows(course: Path) -> None:
    found = json.loads(called(course, "similar", "--json").stdout)
    [tiny] = found["assignments"]
    assert (tiny["assignment"], tiny["submissions"]) == ("tiny", 4)
    pair = next(each for each in tiny["pairs"] if each["sides"][0]["student"] == "alice")
    assert pair["questions"] == ["q02_halve"]
    assert pair["sides"][1] == {
        "student": "bob", "share": 1.0, "own_tokens": pair["tokens"],
        "shared": [{"cell": 1, "lines": [1]}, {"cell": 2, "lines": [1, 2, 4, 6, 7, 8, 9, 10]}],
    }  # fmt: skip
    assert Path(tiny["page"]).is_file()
    described = (Path(__file__).parents[1] / "docs" / "reference" / "json.md").read_text("utf-8")
    keys = {*found, *tiny, *pair, *pair["sides"][0], *pair["sides"][0]["shared"][0]}
    assert [key for key in keys if f"`{key}`" not in described] == []


def test_grades_without_code_are_named(course: Path) -> None:
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(a_tiny_grade("zoe"), "tiny")
    run = called(course, "similar")
    assert "the gradebook has no code of theirs: zoe" in run.stderr
    assert "among 4 submissions" in run.stdout


def test_the_end_of_long_code_is_said_not_to_be_compared(tmp_path: Path) -> None:
    course = recorded(tmp_path, handed_in("long", "# " + "x" * LONGEST), handed_in("bob", ANSWER))
    assert "Only the first 400,000 characters of code were compared of long" in called(course, "similar").stderr


def test_pages_are_for_staff_alone_and_are_replaced_and_removed(course: Path) -> None:
    called(course, "similar")
    folder = course / "results" / "staff" / "tiny" / "similar"
    assert sorted(path.name for path in folder.iterdir()) == ["001.html", "002.html", "index.html"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert not any("similar" in path.name for path in (course / "results").glob("students/**/*"))
    called(course, "similar", "--question", "q01")
    assert [path.name for path in folder.iterdir()] == ["index.html"]
    called(course, "similar")
    assert called(course, "forget", "bob", "--yes").returncode == 0
    assert list(folder.iterdir()) == []


def test_pages_are_not_written_through_a_link(course: Path, tmp_path: Path) -> None:
    (course / "results" / "staff" / "tiny").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (course / "results" / "staff" / "tiny" / "similar").symlink_to(tmp_path / "elsewhere")
    run = called(course, "similar")
    assert run.returncode == 2 and "is behind a symbolic link" in run.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_code_outside_of_questions_is_compared_too() -> None:
    grades = [msgspec.structs.replace(handed_in(name), cells=(Cell(source=ANSWER),)) for name in ("alice", "bob")]
    pages = dict(similar_pages(similar_pairs(grades, Given()), grades, assignment="tiny"))
    assert "Cells that belong to no question" in pages["001.html"]
    assert pages["001.html"].count("zeros_like") == 2


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_load_nothing_fit_and_show_hostile_text_as_text(
    browser: Browser, course: Path, scheme: str
) -> None:
    called(course, "similar")
    folder, happened = course / "results" / "staff" / slug("tiny") / "similar", list[str]()
    with browser.new_context(offline=True, color_scheme=scheme, bypass_csp=True) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.on("console", lambda message: happened.append(message.text))
        page.on("pageerror", lambda error: happened.append(str(error)))
        page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: happened.append(request.url) if request.url[:5] != "file:" else None)
        for name in ("index.html", "001.html", "002.html"):
            page.goto((folder / name).as_uri())
            assert NO_VERDICT in page.inner_text("main")
            assert page.locator("main script, main img, [onclick], [onerror]").count() == 0
            for width in (390, 1280, 1920):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") == width
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
        page.goto((folder / "index.html").as_uri())
        page.get_by_role("link", name="compare").first.click()
        assert page.locator(".beside .hit").count() > 5
    assert happened == []
