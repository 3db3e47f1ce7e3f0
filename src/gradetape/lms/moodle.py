"""Moodle's web services: https://docs.moodle.org/dev/Web_service_API_functions.

The token needs core_course_get_course_module, mod_assign_get_assignments, mod_assign_get_submissions,
mod_assign_list_participants, mod_assign_get_grades and mod_assign_save_grade.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from gradetape.exports.platform import FileRow, tidied
from gradetape.intake.names import clean
from gradetape.lms.base import ApiFile, ApiStudent, LmsPlace, safe_name
from gradetape.lms.client import LmsClient

_SERVICE = "webservice/rest/server.php"


class MoodleApi:
    """One assignment on Moodle; its number is the one in the address of its page."""

    title = "Moodle"
    layout = "moodle"

    def __init__(self, client: LmsClient, place: LmsPlace, token: str) -> None:
        self._client = client
        self._place = place
        self._token = token

    def files(self) -> Iterator[ApiFile]:
        """The files of each student's latest attempt, named as in Moodle's download."""
        people = {str(each["id"]): each for each in self._participants}
        found = self._call("mod_assign_get_submissions", {"assignmentids[0]": self._instance})
        for entry in _latest(each for of in found.get("assignments") or () for each in of.get("submissions") or ()):
            person = people.get(str(entry["userid"]))
            if person is not None and entry.get("status") == "submitted":
                yield from _files(entry, person)

    def students(self) -> list[ApiStudent]:
        """The participants of the assignment, with the points that Moodle has."""
        found = self._call("mod_assign_get_grades", {"assignmentids[0]": self._instance})
        grades = {str(each["userid"]): float(each["grade"]) for of in found.get("assignments") or ()
                  for each in sorted(of.get("grades") or (), key=_attempt)}  # fmt: skip
        return [_student(each, grades.get(str(each["id"]), -1.0)) for each in self._participants]

    def max_points(self) -> float:
        """The highest grade."""
        found = self._call("mod_assign_get_assignments", {"courseids[0]": str(self._module["course"])})
        own = [each for of in found.get("courses") or () for each in of.get("assignments") or ()
               if str(each["id"]) == self._instance]  # fmt: skip
        if not own or float(own[0].get("grade") or 0) <= 0:
            raise self._client.error("the assignment is not graded by points", "Set its grade to points in Moodle.")
        return float(own[0]["grade"])

    def download(self, file: ApiFile) -> bytes:
        """The content of a file."""
        return self._client.content(file.url, {"token": self._token})

    def save(self, user: str, points: float) -> None:
        """Sets a student's points in the latest attempt; comments stay."""
        self._call("mod_assign_save_grade", {
            "assignmentid": self._instance, "userid": user, "grade": f"{points:.5f}", "attemptnumber": "-1",
            "addattempt": "0", "workflowstate": "", "applytoall": "0",
        })  # fmt: skip

    @cached_property
    def _module(self) -> Mapping[str, Any]:
        found = self._call("core_course_get_course_module", {"cmid": self._place.assignment}).get("cm") or {}
        if found.get("modname") != "assign":
            raise self._client.error("the number is not an assignment's", "Use the one in the address of its page.")
        return dict(found)

    @property
    def _instance(self) -> str:
        return str(self._module["instance"])

    @cached_property
    def _participants(self) -> list[Mapping[str, Any]]:
        asked = {"assignid": self._instance, "groupid": "0", "filter": "", "skip": "0", "limit": "0"}
        return list(self._call("mod_assign_list_participants", asked))

    def _call(self, function: str, data: Mapping[str, str]) -> Any:
        """What a function returns; Moodle answers 200 to errors too."""
        known = {"wstoken": self._token, "wsfunction": function, "moodlewsrestformat": "json"}
        found = self._client.json("POST", _SERVICE, known | dict(data))
        if isinstance(found, dict) and found.get("exception"):
            why = f"{function} failed: {found.get('message') or found.get('errorcode')}"
            raise self._client.error(why, "Check the token, its owner's rights, and the functions of its service.")
        return {} if found is None else found


def _latest(entries: Iterator[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each person's attempt with the highest number; submissions of groups, which have no person, are left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in sorted(entries, key=_attempt):
        if entry.get("userid"):
            found[str(entry["userid"])] = entry
    return list(found.values())


def _attempt(entry: Mapping[str, Any]) -> int:
    return int(entry.get("attemptnumber") or 0)


def _files(entry: Mapping[str, Any], person: Mapping[str, Any]) -> Iterator[ApiFile]:
    name = clean(str(person.get("fullname") or "Participant")).replace("_", " ")
    folder = f"{safe_name(name)}_{_number(person)}_assignsubmission_file_"
    for plugin in entry.get("plugins") or ():
        for area in plugin.get("fileareas") or () if plugin.get("type") == "file" else ():
            for each in area.get("files") or ():
                path = f"{each.get('filepath') or '/'}{each['filename']}".strip("/")
                yield ApiFile(
                    name=f"{folder}/{safe_name(path)}", id=f"{path} {each.get('timemodified')}",
                    attempt=_attempt(entry), size=int(each.get("filesize") or 0), url=str(each["fileurl"]),
                    user=_number(person), student=str(person.get("fullname") or ""),
                    submitted=datetime.fromtimestamp(int(entry.get("timemodified") or 0), UTC),
                )  # fmt: skip


def _number(person: Mapping[str, Any]) -> str:
    """The participant's number, as in Moodle's download and worksheet; the user's where Moodle says none."""
    record = int(person.get("recordid") or -1)
    return str(record if record > 0 else int(person["id"]))


def _student(person: Mapping[str, Any], grade: float) -> ApiStudent:
    def some(key: str) -> tuple[str, ...]:
        return tuple(filter(None, (tidied(str(person.get(key) or "")),)))

    user = str(int(person["id"]))
    row = FileRow(
        number=int(user), own_ids=(_number(person),), student_ids=some("idnumber"), logins=some("username"),
        emails=some("email"), names=some("fullname"),
    )  # fmt: skip
    return ApiStudent(user=user, row=row, points=grade if grade >= 0 else None)
