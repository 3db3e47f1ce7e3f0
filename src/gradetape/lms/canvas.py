"""Canvas's API: https://developerdocs.instructure.com/services/canvas/resources/submissions.

Four addresses are asked by our own client, which Moodle needs as well, and not by the package canvasapi. That one
reads every text of an answer as a date, so that a file that a student names `0001-01-01T00:00:00+14:00` ends a listing
with an OverflowError (3.6.0). Its requests have no limit of time or size, it does not wait when Canvas asks for it, and
it has no public place where redirects, waits and limits could be put in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote

from gradetape.exports.canvas import names as canvas_names
from gradetape.exports.platform import FileRow, tidied, written
from gradetape.intake import aware
from gradetape.lms.base import ApiComment, ApiFile, ApiStudent, LmsPlace, safe_name
from gradetape.lms.client import LmsClient
from gradetape.lms.plain import plain_text

_WITH_USERS = "submissions?include[]=user&per_page=100"
_WITH_COMMENTS = "submissions?include[]=submission_comments&per_page=100"
# What gradetape's comments begin with. Canvas shows comments as they are, without markup.
_MARK = "Automatic feedback: "


class CanvasApi:
    """One assignment on Canvas."""

    title = "Canvas"
    layout = "canvas"
    replaces_comments = False

    def __init__(self, client: LmsClient, place: LmsPlace) -> None:
        self._client = client
        self._path = f"api/v1/courses/{quote(place.course, '')}/assignments/{quote(place.assignment, '')}"

    def files(self) -> Iterator[ApiFile]:
        """The files of each student's latest attempt, named as in Canvas's download."""
        for entry in self._client.pages(f"{self._path}/{_WITH_USERS}"):
            user, person = _user(entry), entry.get("user") or {}
            late = "_LATE" if entry.get("late") else ""
            start = f"{_name(person)}{late}_{user}" if user else f"{'LATE_' if late else ''}anon_{_anonymous(entry)}"
            common: dict[str, Any] = {
                "attempt": int(entry.get("attempt") or 0), "user": user, "student": _text(person.get("name")),
                "submitted": aware(_text(entry.get("submitted_at"))),
            }  # fmt: skip
            for each in entry.get("attachments") or ():
                title = safe_name(_text(each.get("display_name") or each.get("filename")))
                yield ApiFile(
                    name=f"{start}_{int(each['id'])}_{title}", id=str(each["id"]), size=int(each.get("size") or 0),
                    url=_text(each.get("url")), **common,
                )  # fmt: skip
            if entry.get("submission_type") == "online_text_entry" and entry.get("body"):
                body = _text(entry["body"])
                yield ApiFile(name=f"{start}_text.html", id="text", size=len(body.encode()), text=body, **common)

    def students(self) -> list[ApiStudent]:
        """The students of the assignment, with the points that Canvas has."""
        return [_student(entry) for entry in self._client.pages(f"{self._path}/{_WITH_USERS}") if _user(entry)]

    def takes_comments(self) -> bool:
        """Whether the assignment has comments: on Canvas each has."""
        return True

    def comment_from(self, html: str) -> str:
        """A comment as plain text."""
        return _MARK + plain_text(html)

    def comment_of(self, student: ApiStudent) -> ApiComment:
        """The latest of the comments that gradetape has written with this token."""
        return ApiComment(self._comments.get(student.user, ""))

    def max_points(self) -> float:
        """The points that are possible."""
        found = self._client.json("GET", self._path)
        if found.get("grading_type") != "points" or found.get("points_possible") is None:
            raise self._client.error("the assignment is not graded by points", "Set it to points in Canvas.")
        return float(found["points_possible"])

    def download(self, file: ApiFile) -> bytes:
        """The content of a file; Canvas redirects to where it is stored."""
        return self._client.content(file.url)

    def save(self, user: str, points: float | None, comment: str | None) -> None:
        """Sets a student's points, and adds a comment, in one request."""
        data = {} if comment is None else {"comment[text_comment]": comment}
        if points is not None:
            data["submission[posted_grade]"] = written(points)
        self._client.json("PUT", f"{self._path}/submissions/{quote(user, '')}", data)

    @cached_property
    def _comments(self) -> Mapping[str, str]:
        """The latest of the token owner's own comments for each user that begins as gradetape's do."""
        owner = str(self._client.json("GET", "api/v1/users/self")["id"])
        entries = self._client.pages(f"{self._path}/{_WITH_COMMENTS}")
        return {_user(entry): _text(each["comment"]) for entry in entries
                for each in sorted(entry.get("submission_comments") or (), key=_when)
                if str(each.get("author_id")) == owner and _text(each.get("comment")).startswith(_MARK)}  # fmt: skip


def _student(entry: Mapping[str, Any]) -> ApiStudent:
    person, user = entry.get("user") or {}, _user(entry)
    names = tuple(tidied(_text(person.get(key))) for key in ("name", "sortable_name", "short_name"))
    row = FileRow(
        number=int(user), own_ids=(user,), student_ids=_some(person.get("sis_user_id")),
        logins=_some(person.get("login_id")), emails=_some(person.get("email")),
        names=tuple(dict.fromkeys(filter(None, (*names, *canvas_names(names[1]))))),
    )  # fmt: skip
    score = entry.get("score")
    kept = "excused" if entry.get("excused") else ""
    return ApiStudent(user=user, row=row, points=None if score is None else float(score), kept=kept)


def _user(entry: Mapping[str, Any]) -> str:
    return str(int(entry["user_id"])) if entry.get("user_id") else ""


def _when(comment: Mapping[str, Any]) -> str:
    return _text(comment.get("created_at"))


def _anonymous(entry: Mapping[str, Any]) -> str:
    return "".join(filter(str.isalnum, _text(entry.get("anonymous_id")))) or "unknown"


def _name(person: Mapping[str, Any]) -> str:
    return canvas_names(tidied(_text(person.get("sortable_name") or person.get("name"))))[0] or "user"


def _some(value: object) -> tuple[str, ...]:
    return tuple(filter(None, (tidied(_text(value)),)))


def _text(value: object) -> str:
    return "" if value is None else str(value)
