"""Canvas's API: https://canvas.instructure.com/doc/api/submissions.html."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from gradetape.exports.canvas import names as canvas_names
from gradetape.exports.platform import FileRow, tidied
from gradetape.intake import aware
from gradetape.lms.base import ApiFile, ApiStudent, LmsPlace, safe_name
from gradetape.lms.client import LmsClient

_WITH_USERS = "submissions?include[]=user&per_page=100"


class CanvasApi:
    """One assignment on Canvas."""

    title = "Canvas"
    layout = "canvas"

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

    def max_points(self) -> float:
        """The points that are possible."""
        found = self._client.json("GET", self._path)
        if found.get("grading_type") != "points" or found.get("points_possible") is None:
            raise self._client.error("the assignment is not graded by points", "Set it to points in Canvas.")
        return float(found["points_possible"])

    def download(self, file: ApiFile) -> bytes:
        """The content of a file; Canvas redirects to where it is stored."""
        return self._client.content(file.url)

    def save(self, user: str, points: float) -> None:
        """Sets a student's points."""
        data = {"submission[posted_grade]": f"{points:.6f}".rstrip("0").rstrip(".")}
        self._client.json("PUT", f"{self._path}/submissions/{quote(user, '')}", data)


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


def _anonymous(entry: Mapping[str, Any]) -> str:
    return "".join(filter(str.isalnum, _text(entry.get("anonymous_id")))) or "unknown"


def _name(person: Mapping[str, Any]) -> str:
    return canvas_names(tidied(_text(person.get("sortable_name") or person.get("name"))))[0] or "user"


def _some(value: object) -> tuple[str, ...]:
    return tuple(filter(None, (tidied(_text(value)),)))


def _text(value: object) -> str:
    return "" if value is None else str(value)
