"""What people write about results, at the desk in a real browser: by its forms, with nothing on the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.books import recorded
from tests.browsers import open_browser
from tests.course import called
from tests.desk_client import desk_of
from tests.factories import NASTY, a_tiny_grade

PHONE = {"width": 390, "height": 800}
WIDTHS = (390, 1280, 1920)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with desk_of(recorded(tmp_path, a_tiny_grade(), a_tiny_grade("bob"))) as found:
        yield found


def enter(page: Page, address: str, path: str = "index.html") -> list[str]:
    """Opens a page of the desk; returns what happens on it that should not."""
    happened: list[str] = []
    page.set_default_timeout(120_000)
    page.on("console", lambda message: happened.append(message.text))
    page.on("pageerror", lambda error: happened.append(str(error)))
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    page.wait_for_url("**/staff/tiny/index.html")
    page.goto(f"{address.partition('?')[0]}staff/tiny/{path}")
    return happened


def assert_fits(page: Page) -> None:
    """The page is accessible and fits each width, in light and in dark, with everything unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_comment_is_written_read_and_removed(browser: Browser, address: str) -> None:
    # With their policy, pages take no script of axe's.
    with browser.new_context(viewport=PHONE, bypass_csp=True) as context:  # type: ignore[arg-type]
        page = context.new_page()
        happened = enter(page, address, "alice.html#q02halve")
        page.get_by_text("Comment on this answer").last.click()
        form = page.locator("form[action$='/comment']:visible").last
        form.get_by_label("Comment, which the student reads").fill(NASTY.replace("\ud800", "").replace("\0", ""))
        form.get_by_role("button", name="Add the comment").click()
        page.wait_for_url("**/alice.html#q02halve")
        expect(page.locator(".note .written")).to_contain_text("<script>alert(1)</script>")
        assert_fits(page)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.get_by_role("link", name="What the student sees").click()
        expect(page.locator(".note .written")).to_contain_text("<img src=x")
        assert page.locator("main script, main img, [onclick], [onerror]").count() == 0
        assert_fits(page)
        page.go_back()
        page.locator(".strip a", has_text="q02").click()
        page.get_by_role("button", name="Remove this comment").click()
        expect(page.locator(".note")).to_have_count(0)
        assert happened == []


def test_what_is_to_do_is_marked_counted_and_filtered(browser: Browser, address: str) -> None:
    with browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        happened = enter(page, address, "alice.html")
        page.get_by_role("button", name="Mark as done").first.click()
        expect(page.locator(".done")).to_contain_text("Done:")
        assert_fits(page)
        page.get_by_role("link", name="All students").click()
        expect(page.locator("header")).to_contain_text("1 to do")
        page.get_by_role("button", name="To do", exact=True).click()
        expect(page.locator("#shown")).to_have_text("1 of 2 shown")
        expect(page.locator("#student-table tbody tr:visible th")).to_have_text(["bob"])
        page.get_by_role("button", name="All", exact=True).click()
        expect(page.locator("#student-table tbody tr:visible")).to_have_count(2)
        assert_fits(page)
        assert happened == []


def test_a_regrade_request_is_found_on_the_dashboard_and_answered_beside_the_answer(
    browser: Browser, tmp_path: Path
) -> None:
    course = recorded(tmp_path, a_tiny_grade(), a_tiny_grade("bob"))
    (course / "alice.txt").write_text("question: q02\n\n<b>Please</b> look again.\n")
    assert called(course, "request", "import", "alice.txt").returncode == 0
    with desk_of(course) as address, browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        happened = enter(page, address)
        expect(page.locator("[aria-labelledby=requests]")).to_contain_text("<b>Please</b> look again.")
        assert_fits(page)
        page.locator("[aria-labelledby=requests] a").click()
        form = page.locator("form[action$='/answer']:visible")
        form.get_by_label("New points of 2").fill("2")
        form.get_by_label("Answer, which the student reads").fill("You are right.")
        form.get_by_role("button").click()
        page.wait_for_url("**/alice.html#q02halve")
        expect(page.locator(".note")).to_contain_text("2 points")
        assert_fits(page)
        page.get_by_role("link", name="What the student sees").click()
        expect(page.locator(".note")).to_contain_text("You are right.")
        assert_fits(page)
        assert happened == []


def test_names_are_hidden_and_shown_with_a_click_and_the_pages_are_published(browser: Browser, tmp_path: Path) -> None:
    course = recorded(tmp_path, a_tiny_grade("Jane Doe"), a_tiny_grade("bob"))
    with desk_of(course) as address, browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        happened = enter(page, address)
        page.locator("#student-table").get_by_role("link", name="Jane Doe", exact=True).click()
        page.get_by_role("link", name="Hide names").click()
        expect(page.locator("h1")).to_contain_text("Student ")
        assert "Jane" not in page.content() and "jane" not in page.url
        assert_fits(page)
        page.get_by_role("link", name="All students").click()
        expect(page.locator("#student-table")).to_contain_text("Student ")
        assert "Jane" not in page.content()
        page.get_by_role("button", name="Publish").click()
        expect(page.locator("main")).to_contain_text("was last written at")
        assert "Jane Doe" in (course / "results" / "index.html").read_text("utf-8")
        page.go_back()
        page.get_by_role("link", name="Show names").click()
        expect(page.locator("#student-table")).to_contain_text("Jane Doe")
        assert happened == []
