"""Templates to HTML, and one to Markdown: the Jinja environment, and how it shows untrusted text."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gradetape.text import as_duration, as_points, printable

_RESERVED = re.compile(r"index|con|prn|aux|nul|com[0-9]|lpt[0-9]|.*-[0-9a-f]{12}")
_ID = re.compile(r"q[0-9]{2}[a-z0-9_]*")
_LIMIT = 20_000


def render(template: str, **view: Any) -> str:
    """A template filled in; an undefined name raises an error."""
    return _environment().get_template(template).render(view)


def slug(name: str) -> str:
    """A name for a file or folder: ASCII in lower case, deterministic.

    A name that had to be changed gets a digest, so that no two students share a file.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9_]+", "-", ascii_name).strip("-")[:60] or "student"
    if plain == name and not _RESERVED.fullmatch(plain):
        return plain
    return f"{plain}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def page_name(student: str) -> str:
    """The file name of a student's page."""
    return f"{slug(student)}.html"


def anchor(question_id: str) -> str:
    """The anchor of a question on every page: letters and digits."""
    if _ID.fullmatch(question_id):
        return question_id.replace("_", "")
    return f"q{hashlib.sha256(question_id.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gradetape.report"),
        autoescape=lambda name: not (name or "").endswith(".md.j2"),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"as_points": as_points, "as_duration": as_duration}
    environment.globals |= {
        "actions": None,
        "style": _asset("style.css"),
        "script": _script(),
        "script_digest": _digest(_script()),
        "marking": _asset("marking.js"),
        "marking_digest": _digest(_asset("marking.js")),
        "follow_order": _asset("follow_order.js"),
        "follow_order_digest": _digest(_asset("follow_order.js")),
    }
    return environment


def script_digests() -> tuple[str, ...]:
    """The digests of the pages' scripts, as a content security policy names them."""
    return _digest(_script()), _digest(_asset("marking.js")), _digest(_asset("follow_order.js"))


def _digest(script: Markup) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _script() -> Markup:
    return _asset("sortable.min.js") + _asset("search.js") + _asset("keep_order.js")


def _asset(name: str) -> Markup:
    return Markup(files("gradetape.report").joinpath("assets", name).read_text("utf-8"))


def _shown(value: object) -> object:
    """The text of a value in a template: short numbers, and text with visible escapes."""
    if isinstance(value, float):
        return f"{value:g}"
    return printable(value, _LIMIT) if isinstance(value, str) and not isinstance(value, Markup) else value
