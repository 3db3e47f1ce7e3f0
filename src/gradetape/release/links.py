"""What the prompts and the introduction lead to: pictures travel inside the notebook, other files beside it.

A picture's path is relative to the folder of the text that shows it, any other link's to the notebook.
"""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from gradetape.course.assignments import Assignment, entries
from gradetape.errors import ReleaseError
from gradetape.release.texts import read

# The bytes of a picture, by media type, by the name that the notebook's text uses.
Attachments = Mapping[str, Mapping[str, str]]

_MADE = ("README.md", "requirements.txt")
_IMG = re.compile(r"<img\b[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_HREF = re.compile(r"<a\b[^>]*?\bhref\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_DESTINATION = re.compile(
    r"(?P<before>!\[(?:[^\]\\]|\\.)*\]\(\s*|^ {0,3}\[[^\]]+\]:\s*|<img\b[^>]*?\bsrc\s*=\s*[\"']?)"
    r"(?P<path><[^<>\n]*>|[^\s)\"'>]+)",
    re.IGNORECASE | re.MULTILINE,
)


def with_attachments(text: str, source: Path, assignment: Assignment) -> tuple[str, Attachments]:
    """The text with its pictures as attachments of a notebook's cell; `source` is the file that the text is from.

    Raises:
        ReleaseError: a picture is missing or outside the assignment, or a link leads to a file that students lack.
    """
    for target in _links(text):
        _refuse_missing(target, source, assignment)
    pictures = {target: _picture(target, source, assignment) for target in _pictures(text)}
    names = {target: path.relative_to(assignment.folder.resolve()) for target, path in pictures.items()}
    attached = {target: re.sub(r"[^\w.-]", "-", name.as_posix()) for target, name in names.items()}

    def moved(match: re.Match[str]) -> str:
        name = attached.get(unquote(match["path"].strip("<>")))
        return f"{match['before']}attachment:{name}" if name else match[0]

    return _DESTINATION.sub(moved, text), {attached[target]: _bundle(path) for target, path in pictures.items()}


def left_out(assignment: Assignment) -> list[Path]:
    """The files of an assignment's folder that students do not receive, though nothing says that they should not."""
    sources = [assignment.introduction, *(each.prompt for each in assignment.all_sources)]
    given = {assignment.folder / "assignment.yml", *sources, *assignment.data}
    given |= {part for each in assignment.question_sources for part in (each.starter, each.public_checks)}
    given |= {each.starter for each in assignment.written_sources}
    resolved = {path.resolve() for path in given}
    for source in sources:
        resolved |= {_picture(target, source, assignment) for target in _pictures(read(source))}
    return [path for path in _files(assignment.folder) if path.resolve() not in resolved]


def _files(folder: Path) -> Iterator[Path]:
    for entry in entries(folder):
        yield from _files(entry) if entry.is_dir() else [entry]


def _tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").parse(text):
        yield token
        yield from token.children or ()


def _pictures(text: str) -> list[str]:
    """The paths of the pictures that a text shows; those of other machines are left out."""
    tokens = list(_tokens(text))
    shown = [str(token.attrs["src"]) for token in tokens if token.type == "image"]
    html = [path for token in tokens if token.type.startswith("html_") for path in _IMG.findall(token.content)]
    return [unquote(path) for path in dict.fromkeys([*shown, *html]) if _is_relative(path)]


def _links(text: str) -> list[str]:
    """The paths of the files that a text leads to; those of other machines and places in the text are left out."""
    tokens = list(_tokens(text))
    linked = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    html = [path for token in tokens if token.type.startswith("html_") for path in _HREF.findall(token.content)]
    return [unquote(urlsplit(path).path) for path in dict.fromkeys([*linked, *html]) if _is_relative(path)]


def _is_relative(target: str) -> bool:
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc and bool(parts.path)


def _picture(target: str, source: Path, assignment: Assignment) -> Path:
    path = (source.parent / target).resolve()
    kind = mimetypes.guess_type(path.name)[0] or ""
    if path.is_file() and path.is_relative_to(assignment.folder.resolve()) and kind.startswith("image/"):
        return path
    wrong = "no picture" if path.is_file() and not kind.startswith("image/") else "not in the assignment's folder"
    raise ReleaseError(
        f"{source} shows {target}, which is {wrong}. Put a picture (.png, .jpg, .gif or .svg) there; its path is "
        "relative to the folder of the text."
    )


def _refuse_missing(target: str, source: Path, assignment: Assignment) -> None:
    shipped = {*_MADE, *(f"tests/{name}.py" for name in assignment.question_ids)}
    shipped |= {file.relative_to(assignment.folder).as_posix() for file in assignment.data}
    if Path(target).as_posix() not in shipped:
        raise ReleaseError(
            f"{source} links to {target}, which students do not receive. List the file under files in assignment.yml, "
            "with its path from the assignment's folder, and link to it by the same path; or remove the link."
        )


def _bundle(path: Path) -> Mapping[str, str]:
    kind = mimetypes.guess_type(path.name)[0] or ""
    return {kind: base64.b64encode(path.read_bytes()).decode("ascii")}
