"""What every request has to satisfy before anything reads it, and the headers of every answer.

    Host      the address that the desk listens on: a name that was made to lead here (DNS rebinding) is refused
    Origin    of a form: the desk's own pages
    Cookie    the session, from everybody who has not come with the token of the first address

The policy for content lets a page load nothing but pictures of the desk, run the pages' own scripts alone, send forms
only here, and stand in no frame. Nothing is kept in caches.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradetape.desk.keys import DeskKeys
from gradetape.report import script_digests

COOKIE = "gradetape-desk"
_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
        f"script-src {' '.join(repr(digest) for digest in script_digests())}; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    # With no-referrer, browsers would send forms with the origin `null`.
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)  # fmt: skip


class Guard:
    """Refuses requests that do not come from the person at the desk; everything else reaches `app`."""

    def __init__(self, app: ASGIApp, keys: DeskKeys, hosts: Collection[str]) -> None:
        self._app = app
        self._keys = keys
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request; a web socket is closed, and what is no request passes."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Request(scope))
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.getlist("host") not in [[host] for host in self._hosts]:
            return _no(421, "The desk answers only under the address that it printed.")
        if request.method not in ("GET", "HEAD", "POST"):
            return _no(405, "The desk knows GET and POST.")
        if request.method == "POST" and not _is_own(request):
            return _no(403, "This form was sent by another site. Nothing was changed.")
        entering = request.method == "GET" and request.url.path == "/" and "token" in request.query_params
        if entering or self._keys.knows(request.cookies.get(COOKIE, "")):
            return None
        return _no(403, (
            "Open the address that gradetape printed in the terminal. It works once: for another browser, end the "
            "command with Ctrl-C and start it again."
        ))  # fmt: skip


def _is_own(request: Request) -> bool:
    """Whether a form was sent by a page of the desk, under the same name of this machine."""
    own = [f"http://{request.headers['host']}"]
    return request.headers.getlist("origin") == own and request.headers.get("sec-fetch-site", "") in ("", "same-origin")


def _no(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(dict(_HEADERS))
        await send(message)

    return sending
