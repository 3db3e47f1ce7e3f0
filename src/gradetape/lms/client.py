"""The connection to a learning platform.

The token is in a header or in the body of a request, never in an address, and is sent to the platform's own address
alone: a redirect elsewhere, as to the storage of files, is followed without it. Every text that leaves this module has
the token removed. Where the platform says that it is asked too often, the client waits as long as it says, and asks
again; requests that change something are repeated only then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from gradetape.errors import LmsError, LmsFileError
from gradetape.text import one_line

MAX_FILE_BYTES = 256 << 20
_MAX_ANSWER_BYTES = 64 << 20
_TRIES = 6
_LONGEST_WAIT_S = 300.0
_MAX_REDIRECTS = 5
_MAX_PAGES = 10_000
_LOW = 50.0  # of Canvas's 700: below it, each request is followed by a pause
_BUSY = frozenset({429, 502, 503, 504})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TIMEOUT_S = 60.0

Wait = Callable[[float], None]


class LmsClient:
    """Requests to one platform; every method raises LmsError.

    Large because it is the only door to the network: each rule of the connection is one short method.
    """

    def __init__(self, url: str, token: str, *, bearer: bool, wait: Wait = time.sleep) -> None:
        self.base = _checked(url)
        self._token = token
        self._headers = {"Authorization": f"Bearer {token}"} if bearer else {}
        self._wait = wait
        loopback = urlsplit(self.base).hostname in _LOOPBACK
        self._http = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=not loopback)

    def json(self, method: str, path: str, data: Mapping[str, str] | None = None) -> Any:
        """The JSON that a request is answered with; `path` may be a whole address."""
        return self._json(self._sent(method, urljoin(self.base, path), data, _MAX_ANSWER_BYTES), path)

    def pages(self, path: str) -> Iterator[Any]:
        """The entries of a list that is given in pages, by the header `Link`."""
        address: str | None = urljoin(self.base, path)
        for _ in range(_MAX_PAGES):
            if address is None:
                return
            answer = self._sent("GET", address, None, _MAX_ANSWER_BYTES)
            entries = self._json(answer, address)
            if not isinstance(entries, list):
                raise self.error(f"{self._shown(address)} was answered with something that is no list")
            yield from entries
            address = self._next(answer, address)
        raise self.error(f"{path} has more than {_MAX_PAGES:,} pages")

    def content(self, address: str, data: Mapping[str, str] | None = None) -> bytes:
        """The bytes at an address, with the token only if it is the platform's own."""
        method = "POST" if data else "GET"
        if data and not self.is_own(address):
            raise self.error(f"a file is not at the platform's own address but at {self._shown(address)}")
        answer: bytes = self._sent(method, address, data, MAX_FILE_BYTES).content
        return answer

    def error(self, text: str, advice: str = "", kind: type[LmsError] = LmsError) -> LmsError:
        """An error about the platform, in which the token does not stand."""
        shown = one_line(text.replace(self._token, "(token)"), 600)
        return kind(f"{urlsplit(self.base).hostname}: {shown}. {advice or 'Try again later.'}")

    def is_own(self, address: str) -> bool:
        """Whether an address is the platform's: the same protocol, host and port."""
        return _origin(address) == _origin(self.base)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _sent(self, method: str, address: str, data: Mapping[str, str] | None, most: int) -> httpx.Response:
        """The answer after waits; raises LmsError for one that is no success."""
        pause, why = 0.0, ""
        for attempt in range(_TRIES):
            if attempt:
                self._wait(pause)
            try:
                answer = self._followed(method, address, data, most)
            except httpx.HTTPError as error:
                why = f"{type(error).__name__} for {self._shown(address)}"
                if method != "GET":
                    raise self.error(why, "It is not known whether it was done. Run the command again.") from None
                pause = 2.0**attempt
                continue
            if not self._is_busy(answer):
                self._slow_down(answer)
                return self._good(answer, address)
            why = f"it answered {answer.status_code} to {self._shown(address)}, {_TRIES} times"
            pause = self._pause(answer, attempt)
        raise self.error(why, "Run the command again later: it continues where it stopped.")

    def _followed(self, method: str, address: str, data: Mapping[str, str] | None, most: int) -> httpx.Response:
        for _ in range(_MAX_REDIRECTS):
            if not _is_secure(address):
                raise self.error(f"it leads to an address without encryption: {self._shown(address)}")
            headers = self._headers if self.is_own(address) else {}
            answer = self._read(method, address, data if self.is_own(address) else None, headers, most)
            target = answer.headers.get("location")
            if not answer.is_redirect or target is None:
                return answer
            if method != "GET":
                raise self.error(f"{self._shown(address)} leads elsewhere", "Check the address that --url names.")
            address = urljoin(address, target)
        raise self.error(f"{self._shown(address)} leads in a circle")

    def _read(
        self, method: str, address: str, data: Mapping[str, str] | None, headers: Mapping[str, str], most: int
    ) -> httpx.Response:
        """An answer of at most `most` bytes."""
        with self._http.stream(method, address, data=dict(data) if data else None, headers=dict(headers)) as answer:
            parts, size = list[bytes](), 0
            for part in answer.iter_bytes():
                size += len(part)
                if size > most:
                    raise self.error(f"{self._shown(address)} has more than {most >> 20} MiB", kind=LmsFileError)
                parts.append(part)
        kept = [(name, text) for name, text in answer.headers.multi_items() if not name.startswith("content-")]
        return httpx.Response(answer.status_code, headers=kept, content=b"".join(parts))

    def _is_busy(self, answer: httpx.Response) -> bool:
        """Whether to ask again later; Canvas says it with 403 too."""
        return answer.status_code in _BUSY or (answer.status_code == 403 and b"Rate Limit Exceeded" in answer.content)

    def _pause(self, answer: httpx.Response, attempt: int) -> float:
        """How long to wait, as the platform says or doubled each time; raises LmsError if that is too long."""
        asked = _seconds(answer.headers.get("retry-after", ""))
        if asked is not None and asked > _LONGEST_WAIT_S:
            raise self.error(f"it wants to be asked again in {asked:.0f} seconds", "Run the command again then.")
        return 2.0**attempt if asked is None else asked

    def _slow_down(self, answer: httpx.Response) -> None:
        """Waits a little where Canvas says that few requests are left."""
        try:
            left = float(answer.headers.get("x-rate-limit-remaining", "inf"))
        except ValueError:
            return
        if left < _LOW:
            self._wait((_LOW - left) / 10)

    def _good(self, answer: httpx.Response, address: str) -> httpx.Response:
        if answer.status_code == 401:
            raise self.error("it does not accept the token", "Make a new one there, and set it as docs/lms.md shows.")
        if answer.status_code in (403, 404):
            raise self.error(
                f"it does not give {self._shown(address)} ({answer.status_code})",
                "Check the numbers of the course and the assignment, and that the token's owner may grade there.",
                LmsFileError,
            )
        if not answer.is_success:
            raise self.error(f"it answered {answer.status_code} to {self._shown(address)}")
        return answer

    def _next(self, answer: httpx.Response, address: str) -> str | None:
        """The address of the next page; raises LmsError if it is somebody else's."""
        target = answer.links.get("next", {}).get("url")
        found = urljoin(address, target) if target else None
        if found and not self.is_own(found):
            raise self.error(f"the next page would be elsewhere: {self._shown(found)}")
        return found

    def _json(self, answer: httpx.Response, address: str) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise self.error(f"{self._shown(address)} was answered with something that is no JSON") from None

    def _shown(self, address: str) -> str:
        """An address without its query, which may hold keys."""
        parts = urlsplit(urljoin(self.base, address))
        return f"{parts.hostname}{parts.path}"


def _is_secure(address: str) -> bool:
    """Whether an address is encrypted, or on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if not _is_secure(url) or not parts.hostname or parts.username or parts.query:
        raise LmsError(f"{one_line(url, 200)!r} is no address of a platform. Write one like https://canvas.example.edu")
    return url if url.endswith("/") else f"{url}/"


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _seconds(text: str) -> float | None:
    """The seconds of `Retry-After`, which are a number or a date."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
