"""What leads elsewhere: hiding the names of students in a browser, and what was published."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gradetape.desk import pages
from gradetape.desk.pages import Desk, NoPage
from gradetape.grading.results import Results
from gradetape.report import notice_page

_NAMES = "gradetape-names"
_WITH_NAMES = "These pages were written with names: show the names to read them."
_OF_STUDENT = re.compile(r"/(staff|students)/([\w-]+)/((?:questions/)?[\w-]+\.html)", re.ASCII)


def are_hidden(request: Request) -> bool:
    """Whether this browser has hidden the names."""
    return request.cookies.get(_NAMES) == "hidden"


class Places:
    """What answers a request for another place than a page of results."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def names(self, request: Request) -> Response:
        """Hides or shows the names of students from now on, in this browser; leads to where it was asked for."""
        hidden = request.path_params["shown"] == "hidden"
        with self._desk.open() as results:
            response = RedirectResponse(self._same_page(results, request, hidden=hidden), 303)
        response.set_cookie(_NAMES, "hidden" if hidden else "shown", httponly=True, samesite="strict", path="/")
        return response

    def similar(self, request: Request) -> Response:
        """A page about similar submissions as it was written, which has names."""
        if are_hidden(request):
            return HTMLResponse(notice_page("Similar submissions", _WITH_NAMES))
        with self._desk.open() as results:
            place = request.path_params
            return HTMLResponse(pages.similar_page(self._desk, results, place["assignment"], place["page"]))

    def published(self, request: Request) -> Response:
        """When the dashboard in the results folder was written, where the pages are, and what is doubtful."""
        with self._desk.open() as results:
            address = request.path_params["assignment"]
            text = pages.as_published(self._desk, results, address)
            warnings = pages.warnings_at(results, address, hidden=are_hidden(request))
        return HTMLResponse(notice_page("Published", text, warnings))

    def _same_page(self, results: Results, request: Request, *, hidden: bool) -> str:
        """The address of the page from which a request came, with the other name of its student; else the first."""
        came_from = _OF_STUDENT.fullmatch(urlsplit(request.headers.get("referer", "")).path)
        if came_from is None:
            return "/"
        kind, address, page = came_from.groups()
        with suppress(NoPage):
            if page != "index.html" and not page.startswith("questions/"):
                page = pages.page_with(self._desk, results, address, page, hidden=hidden)
            return f"/{kind}/{pages.checked_address(results, address)}/{page}"
        return "/"
