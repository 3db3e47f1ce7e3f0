"""The secrets of a desk: the token of the first address, the session's cookie, and a token for each form."""

from __future__ import annotations

import hmac
import secrets
from threading import Lock

_FORMS = 2000


class DeskKeys:
    """The secrets of the desk, in memory only.

    `entry` opens the desk once. A form's token is redeemed once; of the newest 2,000 pages each has one.
    """

    def __init__(self) -> None:
        self.entry = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._lock = Lock()
        self._entered = False
        self._forms: dict[str, None] = {}

    def enter(self, token: str) -> str | None:
        """The session's secret for the first who has the token of the address; None for everybody else."""
        with self._lock:
            if self._entered or not _same(token, self.entry):
                return None
            self._entered = True
        return self._session

    def knows(self, session: str) -> bool:
        """Whether this is the session's secret."""
        return self._entered and _same(session, self._session)

    def for_form(self) -> str:
        """A new token for the forms of a page."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._forms[token] = None
            if len(self._forms) > _FORMS:
                del self._forms[next(iter(self._forms))]
        return token

    def redeem(self, token: str) -> bool:
        """Whether a form may be sent with this token, which is used up by this."""
        with self._lock:
            return self._forms.pop(token, self) is None


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
