"""Moodle's web services: https://docs.moodle.org/dev/Web_service_API_functions.

The token needs core_course_get_course_module, mod_assign_get_assignments, mod_assign_get_submissions,
mod_assign_list_participants, mod_assign_get_grades, mod_assign_get_submission_status and mod_assign_save_grade.

Where an assignment has feedback comments, Moodle empties the comment of whoever gets a grade without one
(mod/assign/feedback/comments). So every grade is saved with a comment: the new one, or the one that is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from gradetape.exports import COMMENT_MARK
from gradetape.exports.platform import FileRow, tidied
from gradetape.intake.names import clean
from gradetape.lms.base import ApiComment, ApiFile, ApiStudent, LmsPlace, safe_name
from gradetape.lms.client import LmsClient
from gradetape.records import MOODLE_USER

_SERVICE = "webservice/rest/server.php"


class MoodleApi:
    """One assignment on Moodle; its number is the one in the address of its page."""

    title = "Moodle"
    layout = "moodle"
    replaces_comments = True

    def __init__(self, client: LmsClient, place: LmsPlace, token: str) -> None:
        self._client = client
        self._token = token
        self._of = _Assignment(client, place, token)

    def files(self) -> Iterator[ApiFile]:
        """The files of each student's latest attempt, named as in Moodle's download."""
        people = {str(each["id"]): each for each in self._of.participants}
        found = self._of.call("mod_assign_get_submissions", {"assignmentids[0]": self._of.instance})
        for entry in _latest(each for of in found.get("assignments") or () for each in of.get("submissions") or ()):
            person = people.get(str(entry["userid"]))
            if person is not None and entry.get("status") == "submitted":
                yield from _files(entry, person)

    def students(self) -> list[ApiStudent]:
        """The participants of the assignment, with the points that Moodle has."""
        return [_student(each, self._of.grades.get(str(each["id"]), -1.0)) for each in self._of.participants]

    def max_points(self) -> float:
        """The highest grade."""
        if float(self._of.settings.get("grade") or 0) <= 0:
            raise self._client.error("the assignment is not graded by points", "Set its grade to points in Moodle.")
        return float(self._of.settings["grade"])

    def takes_comments(self) -> bool:
        """Whether the feedback type "Feedback comments" is on."""
        return any(
            (each.get("subtype"), each.get("plugin"), each.get("name")) == ("assignfeedback", "comments", "enabled")
            and str(each.get("value")) == "1"
            for each in self._of.settings.get("configs") or ()
        )

    def comment_from(self, html: str) -> str:
        """A comment as HTML."""
        return html

    def comment_of(self, student: ApiStudent) -> ApiComment:
        """The student's feedback comment, which a new one replaces."""
        text = self._comment(student.user)
        if text is None:
            return ApiComment("", "Moodle does not show the comment before the grade is released", is_known=False)
        return ApiComment(text, "" if not text or text.startswith(COMMENT_MARK) else "the comment is not gradetape's")

    def download(self, file: ApiFile) -> bytes:
        """The content of a file."""
        return self._client.content(file.url, {"token": self._token})

    def save(self, user: str, points: float | None, comment: str | None) -> None:
        """Sets a student's points and comment in the latest attempt; what is None stays as it is."""
        grade = self._of.grades.get(user, -1.0) if points is None else points
        self._of.call("mod_assign_save_grade", {
            "assignmentid": self._of.instance, "userid": user, "grade": f"{grade:.5f}", "attemptnumber": "-1",
            "addattempt": "0", "workflowstate": "", "applytoall": "0", **self._editor(user, comment),
        })  # fmt: skip

    def _editor(self, user: str, comment: str | None) -> Mapping[str, str]:
        """The field of the comment, if the assignment has comments."""
        if not self.takes_comments():
            return {}
        field, text = "plugindata[assignfeedbackcomments_editor]", self._comment(user) if comment is None else comment
        return {f"{field}[text]": text or "", f"{field}[format]": "1"}

    def _comment(self, user: str) -> str | None:
        """The comment as it was written; None if Moodle may have one and does not show it."""
        found = self._of.call("mod_assign_get_submission_status", {
            "assignid": self._of.instance, "userid": user,
            "moodlewssettingraw": "true", "moodlewssettingfileurl": "false",
        })  # fmt: skip
        if not found.get("feedback"):
            return None if user in self._of.grades and self._of.settings.get("markingworkflow") else ""
        plugins = [each for each in found["feedback"].get("plugins") or () if each.get("type") == "comments"]
        return next((str(field.get("text") or "") for each in plugins for field in each.get("editorfields") or ()), "")


class _Assignment:
    """What the web services say about the assignment; each function is called once."""

    def __init__(self, client: LmsClient, place: LmsPlace, token: str) -> None:
        self._client = client
        self._place = place
        self._token = token

    @cached_property
    def module(self) -> Mapping[str, Any]:
        """The activity in its course."""
        found = self.call("core_course_get_course_module", {"cmid": self._place.assignment}).get("cm") or {}
        if found.get("modname") != "assign":
            raise self._client.error("the number is not an assignment's", "Use the one in the address of its page.")
        return dict(found)

    @property
    def instance(self) -> str:
        """The assignment's own number."""
        return str(self.module["instance"])

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The assignment's settings; empty if the token's owner does not see them."""
        found = self.call("mod_assign_get_assignments", {"courseids[0]": str(self.module["course"])})
        own = (each for of in found.get("courses") or () for each in of.get("assignments") or ())
        return next((dict(each) for each in own if str(each["id"]) == self.instance), {})

    @cached_property
    def participants(self) -> list[Mapping[str, Any]]:
        """Everybody who may hand in."""
        asked = {"assignid": self.instance, "groupid": "0", "filter": "", "skip": "0", "limit": "0"}
        return list(self.call("mod_assign_list_participants", asked))

    @cached_property
    def grades(self) -> Mapping[str, float]:
        """The grade of each user in the latest attempt; -1 where there is none yet."""
        found = self.call("mod_assign_get_grades", {"assignmentids[0]": self.instance})
        return {str(each["userid"]): float(each["grade"]) for of in found.get("assignments") or ()
                for each in sorted(of.get("grades") or (), key=_attempt)}  # fmt: skip

    def call(self, function: str, data: Mapping[str, str]) -> Any:
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
    """The participant's number, as in Moodle's download and worksheet; else the user's, which is marked as such."""
    return _participant(person) or f"{MOODLE_USER}{int(person['id'])}"


def _participant(person: Mapping[str, Any]) -> str:
    """The participant's number; empty if Moodle has given none yet, which it does when it first writes it."""
    record = int(person.get("recordid") or -1)
    return str(record) if record > 0 else ""


def _student(person: Mapping[str, Any], grade: float) -> ApiStudent:
    def some(key: str) -> tuple[str, ...]:
        return tuple(filter(None, (tidied(str(person.get(key) or "")),)))

    user = str(int(person["id"]))
    own = tuple(filter(None, (f"{MOODLE_USER}{user}", _participant(person))))
    row = FileRow(
        number=int(user), own_ids=own, student_ids=some("idnumber"), logins=some("username"),
        emails=some("email"), names=some("fullname"),
    )  # fmt: skip
    return ApiStudent(user=user, row=row, points=grade if grade >= 0 else None)
