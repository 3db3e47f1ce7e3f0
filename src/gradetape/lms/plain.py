"""The text of a comment in HTML, for platforms that show no markup."""

from __future__ import annotations

from html.parser import HTMLParser

_LINES = frozenset({"p", "ul", "div"})


class _Text(HTMLParser):
    """Collects the text between the tags; a paragraph and an item of a list begin a line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LINES or tag == "li":
            self.parts.append("\n- " if tag == "li" else "\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain_text(html: str) -> str:
    """The text of a piece of HTML, one line for each paragraph and each item of a list."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(filter(None, lines))
