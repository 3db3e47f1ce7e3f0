"""The pages in a real browser: they load nothing, run no code of strangers, and are accessible."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from gradetape.records import Cell, CellEvent, Grade, Question, Status, Verdict
from gradetape.report import CheckSource, Material, page_name, write
from gradetape.report.html import slug
from tests.browsers import open_browser
from tests.factories import ASSIGNMENT, NASTY, a_broken_file, a_class, a_grade, a_nasty_grade, a_result

PHONE = {"width": 360, "height": 740}
# A phone, a laptop and a large screen.
WIDTHS = (390, 1280, 1920)
FIRST = "#student-table tbody tr:first-child"
CODE = "def f(x):\n    return 1 / 0  # " + "and so on " * 30 + "\n"
LONG = "/a/very/long/path" * 12
MESSAGE = f"expected 3, got 4 {LONG}\n" * 3 + '  File "<cell 1>", line 2, in f\n'
HTML = "<img src=x onerror=alert(1)>"
UNCLOSED = f"""\
SyntaxError: '(' was never closed
  Cell 4, line 1
    given = list(map(abs, range(3))  # {"and so on " * 9}
                ^
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of 24, somebody whose check could not be judged, somebody who means ill, and an unreadable file."""
    failed = a_result(
        "test_y", verdict=Verdict.FAILED, message=MESSAGE, staff_message=MESSAGE, command=f"pytest {LONG}"
    )
    stuck = a_grade("Zoë", failed, a_result(verdict=Verdict.FAULT), status=Status.NEEDS_ATTENTION, attention=(LONG,),
                    events=(CellEvent(cell=2, kind="error", text=LONG),
                            CellEvent(cell=3, kind="error", text=UNCLOSED)),
                    cells=(Cell(source=CODE, question="q01"),))  # fmt: skip
    nasty = msgspec.structs.replace(a_nasty_grade(), cells=(Cell(source=NASTY, question=NASTY),))
    grades = [*a_class([(n % 2 == 0, n % 3 == 0) for n in range(24)]), stuck, nasty, many_failures()]
    folder = tmp_path_factory.mktemp("results")
    material = Material({"q01::public::test_y": CheckSource("assignments/a/q01/test_public.py", 1, f"{NASTY}\n{CODE}")})
    write(
        folder, grades, [a_broken_file()], assignment=ASSIGNMENT, title="Training loops", max_points=5.0,
        material=material,
    )  # fmt: skip
    return folder


def many_failures() -> Grade:
    """Eight questions with eleven failures each."""
    questions = tuple(Question(id=f"q{n:02}", title=f"Question {n}", points=11.0) for n in range(11, 19))
    results = [
        msgspec.structs.replace(each, check=msgspec.structs.replace(each.check, question=question.id))
        for question in questions
        for each in (a_result(f"test_{n}", verdict=Verdict.FAILED, staff_message=MESSAGE) for n in range(11))
    ]
    cells = tuple(Cell(source=CODE, question=question.id) for question in questions)
    return a_grade("Many", *results, questions=questions, cells=cells)


PAGES = {
    "the dashboard": "index.html",
    "the dashboard among others": f"staff/{ASSIGNMENT}/index.html",
    "a page for staff": f"staff/{ASSIGNMENT}/{page_name('Zoë')}",
    "the page of a question": f"staff/{ASSIGNMENT}/questions/q01.html",
    "the page of a hostile question": f"staff/{ASSIGNMENT}/questions/{slug(NASTY)}.html",
    "a page for staff of many failures": f"staff/{ASSIGNMENT}/{page_name('Many')}",
    "a page for staff of a hostile notebook": f"staff/{ASSIGNMENT}/{page_name(NASTY)}",
    "a page for staff of an unreadable file": f"staff/{ASSIGNMENT}/carol.html",
    "a student's page": f"students/{ASSIGNMENT}/{page_name('Zoë')}",
    "a hostile student's page": f"students/{ASSIGNMENT}/{page_name(NASTY)}",
    "the page of an unreadable file": f"students/{ASSIGNMENT}/carol.html",
}


class Visit:
    """A page in a browser without a network, and all that happened there."""

    def __init__(self, browser: Browser, path: Path, **how: Any) -> None:
        self.context = browser.new_context(offline=True, **how)
        self.page: Page = self.context.new_page()
        self.happened: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.happened.append(message.text))
        self.page.on("pageerror", lambda error: self.happened.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.happened.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def unfold(self) -> None:
        """Opens everything that is folded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    def column(self, number: int) -> list[str]:
        """The texts of the students' rows that are shown, in one column."""
        cells = self.page.locator(f"#student-table tbody tr:visible > :nth-child({number})")
        return cells.all_inner_texts()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_but_itself_and_nothing_goes_wrong(browser: Browser, results: Path, name: str) -> None:
    path = results / PAGES[name]
    with Visit(browser, path) as visit:
        visit.page.wait_for_timeout(100)
        assert (visit.requests, visit.happened) == ([path.as_uri()], [])


@pytest.mark.parametrize("name", ["the dashboard", "a hostile student's page"])
def test_a_script_that_got_in_would_not_run(browser: Browser, results: Path, name: str) -> None:
    with Visit(browser, results / PAGES[name]) as visit:
        visit.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'got = 1'}))")
        assert visit.page.evaluate("typeof got") == "undefined"
        assert "Content Security Policy" in visit.happened[0]


@pytest.mark.parametrize(
    "name", ["the dashboard", "a hostile student's page", "a page for staff of a hostile notebook"]
)
def test_what_a_hostile_notebook_holds_is_shown_as_text(browser: Browser, results: Path, name: str) -> None:
    with Visit(browser, results / PAGES[name]) as visit:
        assert '<script>alert(1)</script><img src=x onerror="alert(2)">' in visit.page.inner_text("main")
        assert visit.page.locator("main script, main img, [onclick], [onerror]").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_on_a_phone_nothing_has_to_be_scrolled_sideways(browser: Browser, results: Path, name: str) -> None:
    with Visit(browser, results / PAGES[name], viewport=PHONE) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        visit.unfold()
        assert visit.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_on_a_phone_points_are_seen_without_scrolling_the_table(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["the dashboard"], viewport=PHONE) as visit:
        cells = [visit.page.locator(f"{FIRST} > :nth-child({number})").bounding_box() for number in (1, 3)]
        assert all(cell and cell["x"] >= 0 and cell["x"] + cell["width"] <= PHONE["width"] for cell in cells)


def test_the_page_of_many_failures_fits_in_four_screens_when_it_is_folded(browser: Browser, results: Path) -> None:
    screen = {"width": 1280, "height": 800}
    with Visit(browser, results / f"staff/{ASSIGNMENT}/{page_name('Many')}", viewport=screen) as visit:
        assert visit.page.evaluate("document.documentElement.scrollHeight") <= 4 * screen["height"]


def test_a_link_to_a_question_opens_it(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["a page for staff"]) as visit:
        message = visit.page.locator(".question pre").first
        expect(message).not_to_be_visible()
        visit.page.locator(".strip a").first.click()
        expect(message).to_be_visible()
        expect(visit.page.locator(".question .hit").first).to_be_visible()


def test_filters_choose_students_by_flags_and_not_by_names(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["the dashboard"]) as visit:
        visit.page.get_by_label("Search").fill("is:unreadable")
        assert visit.column(1) == ["carol"]
        visit.page.get_by_label("Search").fill("IS:ATTENTION z")
        assert visit.column(1) == ["Zoë"]


def test_two_clicks_lead_from_a_check_on_the_dashboard_to_an_answer_that_failed_it(
    browser: Browser, results: Path
) -> None:
    with Visit(browser, results / PAGES["the dashboard"]) as visit:
        page = visit.page
        page.locator("[aria-labelledby=questions] tbody a").first.click()
        page.locator(".matrix a", has_text="Zoë").click()
        expect(page.locator(".question .hit").first).to_be_visible()
        assert page.get_by_role("heading", level=1).inner_text() == "Zoë"


def test_on_a_phone_all_of_a_plot_is_seen(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["the dashboard"], viewport=PHONE) as visit:
        plots = [plot.bounding_box() for plot in visit.page.locator(".plot svg").all()]
        assert len(plots) == 2
        assert all(plot["x"] >= 0 and plot["x"] + plot["width"] <= PHONE["width"] for plot in plots)


def test_on_a_phone_the_verdict_of_each_check_is_seen(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["a page for staff"], viewport=PHONE) as visit:
        visit.unfold()
        verdicts = [verdict.bounding_box() for verdict in visit.page.locator("[aria-labelledby=all] .verdict").all()]
        assert len(verdicts) == 2
        assert all(verdict["x"] + verdict["width"] <= PHONE["width"] for verdict in verdicts)


@pytest.mark.parametrize("name", ["a page for staff", "a student's page"])
def test_a_caret_points_at_what_it_is_about_however_narrow_the_page(browser: Browser, results: Path, name: str) -> None:
    place = """([element, at]) => {
        const range = document.createRange();
        range.setStart(element.firstChild, at); range.setEnd(element.firstChild, at + 1);
        return range.getBoundingClientRect().left; }"""
    with Visit(browser, results / PAGES[name], viewport=PHONE) as visit:
        visit.unfold()
        text = visit.page.locator("pre", has_text="never closed").element_handle()
        shown = visit.page.evaluate("element => element.textContent", text)
        bracket, caret = shown.index("(map"), shown.index("^")
        places = [visit.page.evaluate(place, [text, at]) for at in (bracket, caret)]
        assert places[0] == pytest.approx(places[1], abs=1)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(page: Page, selector: str) -> float:
    """WCAG 2.2, contrast of an element's text with the page."""
    text = luminance(page.locator(selector).first.evaluate("e => getComputedStyle(e).color"))
    paper = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    return (max(text, paper) + 0.05) / (min(text, paper) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_or_dark_the_text_stands_out(browser: Browser, results: Path, scheme: str) -> None:
    with Visit(browser, results / PAGES["a student's page"], color_scheme=scheme) as visit:
        paper = luminance(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert (paper > 0.5) == (scheme == "light")
        parts = ("h1", ".over", ".hint", ".points", "td", "thead th", "a[href^='#q']", ".verdict.bad", ".verdict.open")
        assert {part: contrast(visit.page, part) for part in parts if contrast(visit.page, part) < 4.5} == {}


def test_the_plots_take_the_colours_of_the_page(browser: Browser, results: Path) -> None:
    inks = []
    for scheme in ("light", "dark"):
        with Visit(browser, results / PAGES["the dashboard"], color_scheme=scheme) as visit:
            inks.append(contrast(visit.page, "h1"))
            fill = visit.page.locator(".plot text").first.evaluate("e => getComputedStyle(e).fill")
            assert fill == visit.page.evaluate("getComputedStyle(document.body).color")
    assert min(inks) > 7


def test_a_click_on_a_heading_sorts_the_students(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["the dashboard"]) as visit:
        points = visit.page.locator("#student-table").get_by_role("button", name="Points", exact=True)
        points.click()
        expect(visit.page.locator(FIRST).locator("td").nth(1)).to_have_text("4 of 5")
        found = [float(text.split()[0]) if text != "no points" else -1 for text in visit.column(3)]
        assert found == sorted(found, reverse=True)
        points.click()
        expect(visit.page.locator(FIRST).locator("th")).to_have_text("carol")
        assert visit.page.locator("#student-table th[aria-sort]").all_inner_texts() == ["Points"]


def test_the_search_finds_students_whatever_the_accents(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["the dashboard"]) as visit:
        visit.page.get_by_label("Search").fill("ATTENTION zoe")
        assert visit.column(1) == ["Zoë"]
        assert visit.page.get_by_role("status").inner_text() == "1 of 28 shown"
        visit.page.get_by_label("Search").fill("")
        assert len(visit.column(1)) == 28


def test_previous_and_next_follow_the_order_and_the_filter_of_the_dashboard(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["the dashboard"]) as visit:
        page = visit.page
        rows, heading = page.locator("#student-table tbody tr:visible th"), page.get_by_role("heading", level=1)
        page.get_by_label("Search").fill("is:attention")
        page.locator("#student-table").get_by_role("button", name="Points", exact=True).click()
        expect(rows.last).to_have_text("carol")
        names = visit.column(1)
        rows.first.get_by_role("link").click()
        for number, name in enumerate(names, start=1):
            expect(heading).to_have_text(name)
            expect(page.get_by_text(f"{number} of 3 in: is:attention, sorted by Points, descending")).to_be_visible()
            assert page.locator("a[rel=prev]").count() == (number > 1)
            if number < len(names):
                page.locator("a[rel=next]", has_text=f"Next: {names[number]}").click()
        assert page.locator("a[rel=next]").count() == 0
        page.locator("a[rel=prev]").click()
        expect(heading).to_have_text(names[1])
        assert visit.happened == []


TAMPERED = (
    "no JSON",
    "null",
    '{"about": "x", "rows": 1}',
    '{"about": "x", "rows": [["s1.html", "s1"], ["s10.html"]]}',
    *(
        json.dumps({"about": "x", "rows": [["s1.html", "s1"], [link, "elsewhere"]]})
        for link in ("https://evil.example/a.html", "//evil.example/a.html", "javascript:alert(1)", "../index.html",
                     "javascript:alert(1)//.html", "s2.html\n//evil.example", "s2.html?x", "%2e%2e/a.html")
    ),
)  # fmt: skip


def test_a_kept_order_that_somebody_changed_leads_nowhere_else_and_becomes_text(
    browser: Browser, results: Path
) -> None:
    with Visit(browser, results / PAGES["the dashboard"]) as visit:
        page = visit.page
        page.locator("#student-table").get_by_role("link", name="s1", exact=True).click()
        other, change = page.locator("header nav a[rel]"), "text => sessionStorage.setItem(sessionStorage.key(0), text)"
        expect(page.get_by_text("of 28 in: all students")).to_be_visible()
        for text in TAMPERED:
            page.evaluate(change, text)
            page.reload()
            assert [link.get_attribute("href") for link in other.all()] == ["s0.html", "s10.html"], text
            assert page.get_by_text(" in: x").count() == 0
        page.evaluate(change, json.dumps({"about": HTML, "rows": [["s1.html", "s1"], ["s5.html", HTML]]}))
        page.reload()
        assert page.locator("header nav").inner_text().count(HTML) == 2
        assert (page.locator("header img").count(), visit.happened) == (0, [])


def test_without_a_storage_previous_and_next_stay_as_they_were_written(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["the dashboard"]) as visit:
        page = visit.page
        page.add_init_script("Object.defineProperty(window, 'sessionStorage', {get() { throw new Error('blocked'); }})")
        page.reload()
        page.get_by_label("Search").fill("is:attention")
        page.locator("#student-table").get_by_role("link", name="Zoë", exact=True).click()
        expect(page.get_by_role("link", name="Previous: s9")).to_be_visible()
        assert visit.happened == []


def test_the_dashboard_works_with_the_keyboard_alone(browser: Browser, results: Path) -> None:
    with Visit(browser, results / PAGES["the dashboard"]) as visit:
        page = visit.page
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        assert skip.evaluate("e => e === document.activeElement && e.getBoundingClientRect().left >= 0")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.get_by_label("Search").focus()
        for _ in range(2):  # past the table's own place for scrolling, to its first heading
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.locator(FIRST).locator("th")).to_have_text("Zoë")
        page.keyboard.press("Enter")
        expect(page.locator(FIRST).locator("th")).not_to_have_text("Zoë")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_that_keeps_somebody_out(browser: Browser, results: Path, name: str, scheme: str) -> None:
    # Without its policy a page takes axe's own script.
    with Visit(browser, results / PAGES[name], color_scheme=scheme, bypass_csp=True) as visit:
        visit.unfold()
        for width in WIDTHS:
            visit.page.set_viewport_size({"width": width, "height": 800})
            assert visit.page.evaluate("document.documentElement.scrollWidth") == width
            found = Axe().run(visit.page)
            assert found.violations_count == 0, found.generate_report()
        assert (visit.requests, visit.happened) == ([(results / PAGES[name]).as_uri()], [])


@pytest.mark.parametrize("name", PAGES)
def test_a_screen_reader_finds_its_way(browser: Browser, results: Path, name: str) -> None:
    with Visit(browser, results / PAGES[name]) as visit:
        page = visit.page
        assert (page.get_by_role("main").count(), page.get_by_role("heading", level=1).count()) == (1, 1)
        assert page.locator("html").get_attribute("lang") == "en"
        named = "e => e.getAttribute('aria-label') || document.getElementById(e.getAttribute('aria-labelledby'))"
        assert all(section.evaluate(named) for section in page.locator("section, nav, [role=group]").all())
        assert page.locator("th:not([scope])").count() == 0
        assert [link for link in page.get_by_role("link").all() if not link.text_content()] == []
