"""Opens a platform: the libraries, the token, and the connection.

The token is read from the environment, or from the system's keyring: never from a file of the course, which is shared
and copied, and never from the command line, which other users can see.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from urllib.parse import urlsplit

from gradetape.errors import RequestError
from gradetape.lms.base import LmsPlace, LmsPlatform

APIS: Mapping[str, str] = MappingProxyType({"canvas": "Canvas", "moodle": "Moodle"})


@contextmanager
def open_platform(name: str, place: LmsPlace) -> Iterator[LmsPlatform]:
    """A connection to an assignment on a platform; raises RequestError without the libraries or a token."""
    try:
        from gradetape.lms.canvas import CanvasApi
        from gradetape.lms.client import LmsClient
        from gradetape.lms.moodle import MoodleApi
    except ModuleNotFoundError as error:
        raise RequestError(
            f"Canvas and Moodle need the Python package {error.name}, which is not installed. Install it with: "
            "pip install 'gradetape[lms]'"
        ) from None
    token = token_for(name, place.url)
    client = LmsClient(place.url, token, bearer=name == "canvas")
    try:
        yield CanvasApi(client, place) if name == "canvas" else MoodleApi(client, place, token)
    finally:
        client.close()


def token_for(name: str, url: str) -> str:
    """The token of a platform; raises RequestError if there is none."""
    variable, host = f"GRADETAPE_{name.upper()}_TOKEN", urlsplit(url).hostname or ""
    token = os.environ.get(variable, "").strip() or (_stored(name, host) or "").strip()
    if not token:
        raise RequestError(
            f"There is no token for {APIS[name]}. Put it into the environment as {variable}, or into the keyring: "
            f"keyring set gradetape-{name} {host}"
        )
    if not token.isascii() or not token.isprintable() or len(token) < 8:
        raise RequestError(f"The token in {variable} or in the keyring is none: it is short, or has other letters.")
    return token


def _stored(name: str, host: str) -> str | None:
    """The token in the system's keyring; None where there is none, or no keyring."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        return None
    try:
        found: str | None = keyring.get_password(f"gradetape-{name}", host)
    except KeyringError:
        return None
    return found
