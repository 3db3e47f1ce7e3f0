"""What a form of a page sends, as a value: plain fields of limited size, each once."""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from gradetape.errors import RequestError

_MOST_BYTES = 64 * 1024
_MOST_FIELDS = 20
_MOST_ITEMS = 50
_MOST_DIGITS = 9
_KIND = "application/x-www-form-urlencoded"
_UNREAD = "the form cannot be read: use the buttons on the desk's pages"


class Form(msgspec.Struct, frozen=True):
    """The fields of a form; one that is missing is empty. `items` are those of a rubric, by their ids.

    `none` says that none of them applies.
    """

    token: str = ""
    student: str = ""
    question: str = ""
    check: str = ""
    group: str = ""
    points: str = ""
    reason: str = ""
    items: tuple[str, ...] = ()
    none: str = ""
    text: str = ""
    entry: str = ""
    done: str = ""
    basis: str = ""

    @property
    def number_if_any(self) -> float | None:
        """The points, or None if none were written; raises RequestError if they are no number."""
        return self.number if self.points.strip() else None

    @property
    def number(self) -> float:
        """The points; raises RequestError if they are no number."""
        try:
            return float(self.points)
        except ValueError:
            raise RequestError("the points are not a number: write points like 2 or 1.5") from None

    @property
    def entry_number(self) -> int:
        """The number of a comment or a request; raises RequestError if there is none."""
        if not (self.entry.isascii() and self.entry.isdecimal()) or len(self.entry) > _MOST_DIGITS:
            raise RequestError("the form names nothing in the gradebook: use the buttons on the desk's pages")
        return int(self.entry)


async def form_of(request: Request) -> Form:
    """The form of a request; raises RequestError if it is none of the desk's."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise RequestError("the form is larger than any of the desk's forms: write a shorter text")
    if request.headers.get("content-type", "").partition(";")[0] != _KIND:
        raise RequestError("this is no form of the desk: use the buttons on its pages")
    try:
        fields = parse_qsl(body.decode("ascii"), True, errors="strict", max_num_fields=_MOST_FIELDS + _MOST_ITEMS)
    except ValueError:
        raise RequestError(_UNREAD) from None
    items = tuple(value for name, value in fields if name == "item")
    if len(fields) - len(items) > _MOST_FIELDS:
        raise RequestError(_UNREAD)
    texts = {name: value for name, value in fields if name in Form.__struct_fields__ and name != "items"}
    return Form(**texts, items=items)
