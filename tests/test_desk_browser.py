"""The desk in a real browser: two clicks to an answer, forms that work, no request elsewhere, nothing inaccessible."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gradetape.gradebook import Gradebook
from gradetape.records import Cell, Override
from gradetape.report import page_name
from tests.books import recorded
from tests.browsers import open_browser
from tests.desk_client import desk_of
from tests.factories import NASTY, SECRET, a_broken_file, a_tiny_grade

OVERRIDE = Override(
    student="alice",
    question="q02_halve::hidden::test_odd",
    points=0.5,
    reason=NASTY,
    by="Ana",
    at="2026-10-01T10:00:00Z",
)
CODE = "def halve(x):\n    return x // 2"
PHONE = {"width": 390, "height": 800}
# A phone, a laptop and a large screen.
WIDTHS = (390, 1280, 1920)
ANSWER_S = 15


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a desk with two students whose failures are alike, a hostile one, and an unreadable file.

    One of the two has other points for the check.
    """
    code, bad = (Cell(source=source, question="q02_halve") for source in (CODE, NASTY))
    grades = [msgspec.structs.replace(a_tiny_grade(name), cells=(code,)) for name in ("alice", "bob")]
    grades.append(msgspec.structs.replace(a_tiny_grade(NASTY), key="n", cells=(bad,)))
    course = recorded(tmp_path, *grades, unreadable=(a_broken_file(),))
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.override("tiny", OVERRIDE)
    with desk_of(course) as found:
        yield found


class Sitting:
    """A page at the desk, and everything that went wrong or was asked for elsewhere."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.own = address.partition("?")[0]
        self.happened: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(120_000)
        self.page.on("console", lambda message: self.happened.append(message.text))
        self.page.on("pageerror", lambda error: self.happened.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.happened.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.goto(address)
        self.page.wait_for_url("**/staff/tiny/index.html")

    def _asked(self, url: str) -> None:
        if not url.startswith(self.own):
            self.happened.append(url)


def test_a_question_is_answered_in_two_clicks_and_overridden_with_one_form(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        sitting = Sitting(context, address)
        page = sitting.page
        page.get_by_label("Search").fill("is:overridden")
        page.get_by_role("link", name="alice", exact=True).click()
        expect(page.get_by_text("1 of 1 in: is:overridden")).to_be_visible()
        page.locator(".strip a", has_text="q02").click()
        expect(page.get_by_text(SECRET).first).to_be_visible()
        expect(page.get_by_text("return").first).to_be_visible()
        form = page.locator("form[action$='/override']:visible").last
        form.get_by_label("Points of 2").fill("1.5")
        form.get_by_label("Reason").fill("<b>the right idea</b>")
        form.get_by_role("button").click()
        page.wait_for_url("**#q02halve")
        assert "4.5 of 5 points" in page.inner_text("header")
        assert "q02_halve: 1.5 points instead of 0, set by the course staff: <b>the right idea</b>" in page.inner_text(
            "main"
        )
        assert sitting.happened == []


def test_a_group_of_like_failures_is_overridden_from_the_question(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        sitting = Sitting(context, address)
        page = sitting.page
        page.locator("[aria-labelledby=questions] tbody a").last.click()
        page.locator(".groups summary").first.click()
        page.get_by_label("Points of 2").fill("2")
        page.get_by_label("Reason").fill("the check was wrong")
        page.get_by_role("button", name="Set the points of this check for 3 students").click()
        expect(page.locator(".matrix tbody tr td:nth-child(2)")).to_have_text(["2", "2", "2"])
        assert sitting.happened == []


def test_pages_with_forms_are_accessible_fit_a_phone_and_show_hostile_text_as_text(
    browser: Browser, address: str
) -> None:
    # With their policy, pages take no script of axe's.
    with browser.new_context(viewport=PHONE, bypass_csp=True) as context:  # type: ignore[arg-type]
        sitting = Sitting(context, address)
        page = sitting.page
        for path in ("alice.html", page_name(NASTY), "carol.html", "questions/q02_halve.html"):
            page.goto(f"{sitting.own}staff/tiny/{path}")
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
            assert page.locator("main script, main img, [onclick], [onerror]").count() == 0
        assert sitting.happened == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_every_width_pages_of_the_desk_are_accessible_fit_and_ask_for_nothing_elsewhere(
    browser: Browser, address: str, scheme: str
) -> None:
    with browser.new_context(color_scheme=scheme, bypass_csp=True) as context:  # type: ignore[arg-type]
        sitting = Sitting(context, address)
        page = sitting.page
        for path in ("index.html", "alice.html", page_name(NASTY), "questions/q02_halve.html"):
            page.goto(f"{sitting.own}staff/tiny/{path}")
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") == width, path
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
        assert sitting.happened == []


def test_from_the_dashboard_to_the_answer_to_a_question_it_takes_two_clicks_and_seconds(
    browser: Browser, address: str
) -> None:
    with browser.new_context() as context:
        page, clicks = Sitting(context, address).page, list[str]()
        begin = time.monotonic()
        for link in (page.get_by_role("link", name="alice", exact=True), page.locator(".strip a", has_text="q02")):
            link.click()
            clicks.append(page.url)
        expect(page.get_by_text(SECRET).first).to_be_visible()
        expect(page.get_by_text("return").first).to_be_visible()
        assert time.monotonic() - begin < ANSWER_S
        assert [url.rpartition("/")[2] for url in clicks] == ["alice.html", "alice.html#q02halve"]


def test_a_session_is_of_one_browser(browser: Browser, address: str) -> None:
    with browser.new_context() as context, browser.new_context() as other:
        Sitting(context, address)
        page = other.new_page()
        assert page.goto(address) is not None
        assert "This address works once" in page.inner_text("body")
