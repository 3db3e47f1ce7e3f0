"""Marking written answers in a real browser, by keys alone: nothing of an answer runs, nothing is asked elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from gradetape.course.assignments import find
from gradetape.grading.results import Results
from tests.browsers import open_browser
from tests.course import write_files
from tests.desk_client import desk_of
from tests.regrading import grade
from tests.written_course import ESSAY, answered, base64_of, cell, plot, png, with_essay, written_notebook

HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script><svg onload=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


MARKDOWN = """# A *heading*

[a link](https://evil.example) ![a picture](https://evil.example/x.png)

|a long word|another|
|-|-|
|`code`|"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    course = with_essay(tmp_path / "course")
    data = {"image/png": base64_of(png(40, 10)), "text/html": HOSTILE, "image/svg+xml": HOSTILE}
    shown = cell("code", "show()", outputs=[plot(data)])
    alice = written_notebook(cell("markdown", f"{HOSTILE}\n\n{MARKDOWN}", f"written:{ESSAY}"), shown)
    write_files(course / "in", {"alice.ipynb": alice, "bob.ipynb": answered("Bob's words")})
    grade(course)
    return course


@pytest.mark.parametrize(("width", "colours"), [(390, "light"), (1280, "dark")])
def test_answers_are_marked_by_keys_alone(browser: Browser, course: Path, width: int, colours: str) -> None:
    with desk_of(course) as address, browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if colours == "dark" else "light"
    ) as context:  # fmt: skip
        page, happened = context.new_page(), list[str]()
        page.set_default_timeout(120_000)
        page.on("console", lambda message: happened.append(message.text))
        page.on("pageerror", lambda error: happened.append(str(error)))
        page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        page.get_by_role("link", name="Why halve?").click()
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        expect(page.get_by_role("heading", name="A heading")).to_be_visible()
        expect(page.locator("section a[href], section img:not(.answer)")).to_have_count(0)
        expect(page.locator("img.answer")).to_have_js_property("complete", True)
        loaded = page.locator("img.answer").evaluate("image => [image.complete, image.naturalWidth]")
        assert loaded == [True, 40]
        serious = [
            each["id"] for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")
        ]
        assert serious == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("s")
        page.keyboard.press("x")
        page.keyboard.press("1")
        page.keyboard.press("s")
        assert page.evaluate("document.querySelector('input[name=none]').validationMessage")
        page.keyboard.press("x")
        page.keyboard.press("3")
        page.keyboard.press("3")
        expect(page.locator("output")).to_have_text("2")
        page.keyboard.press("c")
        page.keyboard.type("1, 2 and 3: well said.")
        page.keyboard.press("Escape")
        page.keyboard.press("s")
        page.wait_for_url(f"**/{ESSAY}/bob.html")
        page.keyboard.press("2")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/index.html")
        expect(page.get_by_text("none of 2 wait to be marked")).to_be_visible()
        assert happened == []
    with Results.open(find(course)) as results:
        found = [(each.student, each.items, each.comment) for each in results.book.marks("tiny")]
    assert found == [("alice", ("inverse",), "1, 2 and 3: well said."), ("bob", ("plot",), "")]
