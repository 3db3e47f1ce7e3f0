"""Markdown that a student wrote as HTML that does nothing: it loads nothing and leads nowhere.

HTML in it is text. So are links and pictures, which stay as they were written: an address may be a script's, or tell
somebody who reads the page.
"""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markupsafe import Markup

from gradetape.text import printable

_LIMIT = 20_000
# Above it stand the headings of the page and of its part.
_ABOVE = 2
_DEEPEST = 6


def formatted(text: str) -> Markup:
    """The text with its headings, lists, tables, emphasis and code."""
    tokens = _parser().parse(printable(text, _LIMIT))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + _ABOVE, _DEEPEST)}"
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))


def is_plain(text: str, html: Markup) -> bool:
    """Whether a text, which `html` shows formatted, is one paragraph that looks as it was written."""
    return html.strip() == f"<p>{escapeHtml(printable(text, _LIMIT).strip())}</p>"


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False})
    return parser.enable("table").disable(["link", "image", "autolink", "reference", "html_block", "html_inline"])
