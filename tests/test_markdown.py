"""Markdown of students is formatted, and nothing in it is active."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.report.markdown import formatted, is_plain

HARMLESS = {
    "p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "em", "strong", "code", "pre", "blockquote", "br", "hr", "table",
    "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a <b onclick=alert(1)>b</b>",
    "<!-- <script>alert(1)</script> -->", "[x](javascript:alert(1))", "[x](https://evil.example)",
    "![x](https://evil.example/x.png)", "![x](data:image/svg+xml;base64,AAAA)", "<https://evil.example>",
    "<javascript:alert(1)>", "[x]\n\n[x]: javascript:alert(1)", '```"><script>alert(1)</script>\n```',
    '# x" onload="alert(1)', "|<script>|\n|-|\n|</td><script>|", "`</code><script>`", "&lt;script&gt;", "https://evil.example",
]  # fmt: skip


class Elements(HTMLParser):
    """The elements and the attributes of a text, and what is left of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names = set[str]()
        self.attributes = dict[str, str]()
        self.text = ""
        self.feed(str(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name: value or "" for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.names.add("comment")


def refuse_active(text: str) -> None:
    found = Elements(formatted(text))
    assert found.names <= HARMLESS and found.attributes.keys() <= {"class", "start", "style"}
    assert found.attributes.get("style", "text-align:").startswith("text-align:")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_markdown_is_active(text: str) -> None:
    refuse_active(text)


@given(st.lists(st.sampled_from([*HOSTILE, "\n", "\n\n", "- ", "> ", "*", "`", "[", "](", ")", "<", "&", '"'])))
def test_nothing_becomes_active_beside_something_else(parts: list[str]) -> None:
    refuse_active("".join(parts))


def test_links_and_pictures_stay_as_they_were_written() -> None:
    for text in ("[x](javascript:alert(1))", "![x](https://evil.example/x.png)", "<https://evil.example>"):
        assert Elements(formatted(text)).text.strip() == text


def test_headings_lists_tables_emphasis_and_code_are_formatted() -> None:
    found = formatted("# One\n\n- *a*\n\n1. **b**\n\n|x|\n|-|\n|y|\n\n```python\nz = 1\n```\n\n###### Six")
    assert Elements(found).names >= {"h3", "h6", "ul", "ol", "em", "strong", "table", "pre"}
    assert "<h3>One</h3>" in found and "<td>y</td>" in found and "z = 1" in found


def test_what_cannot_be_seen_is_an_escape() -> None:
    assert formatted("a\u202eb\x1b") == "<p>a\\u202eb\\x1b</p>\n"


@pytest.mark.parametrize(("text", "plain"), [('It "undoes" it.', True), ("*a*", False), ("a\n\nb", False), ("", False)])
def test_one_paragraph_without_markup_is_plain(text: str, plain: bool) -> None:
    assert is_plain(text, formatted(text)) == plain
