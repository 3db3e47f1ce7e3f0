"""Servers on a loopback address that speak the documented APIs of Canvas and Moodle, with a class of four."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.layouts import ZOE, right

TOKEN = "7~secretsecretsecret"
OWNER = 77  # the user whose token it is
PEOPLE = (
    ("10001", "Doe, Jane", "jdoe"), ("10002", "Doe, Jane", "jdoe2"), ("10003", ZOE, "zmueller"),
    ("10004", "Roe, Rick", "rroe"),
)  # fmt: skip


@dataclass
class FakePlatform:
    """What a server knows, and what it was asked. `answers` come first: a status, headers and a body by path."""

    points: dict[str, float] = field(default_factory=dict)
    comments: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    takes_comments: bool = True
    numbers: dict[str, int] = field(default_factory=dict)  # Moodle's participants; -1 is none yet
    workflow: bool = False
    asked: list[str] = field(default_factory=list)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    answers: dict[str, list[tuple[int, dict[str, str], str]]] = field(default_factory=dict)
    late: bool = True
    title: str = "hw.ipynb"
    more_titles: tuple[str, ...] = ()
    excused: str = ""
    most: float = 5.0
    grading: str = "points"
    attachment: str = ""
    url: str = ""
    attempt: int = 1
    anonymous: bool = False


def _handler(fake: FakePlatform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(self._form())

        def do_PUT(self) -> None:
            self._answer(self._form())

        def _form(self) -> dict[str, str]:
            text = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            return {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}

        def _answer(self, form: Mapping[str, str]) -> None:
            path = urlsplit(self.path).path
            assert TOKEN not in self.path, "the token is in no address"
            fake.asked.append(f"{self.command} {path} {form.get('wsfunction', '')}".strip())
            bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
            token = bearer or form.get("wstoken") or form.get("token")
            fake.tokens.setdefault(path, set()).add(token or "")
            if waiting := fake.answers.get(path):
                self._send(*waiting.pop(0))
            elif path.startswith("/stored/"):
                self._send(200, {}, right(int(path.rpartition("/")[2])))
            elif token != TOKEN:
                self._send(401, {}, "{}")
            else:
                self._send(*(_canvas if bearer else _moodle)(fake, self.command, self.path, form))

        def _send(self, status: int, headers: Mapping[str, str], body: str) -> None:
            content = body.encode()
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _canvas(fake: FakePlatform, method: str, address: str, form: Mapping[str, str]) -> tuple[int, dict[str, str], str]:
    path, query = urlsplit(address).path, parse_qs(urlsplit(address).query)
    base = "/api/v1/courses/42/assignments/901"
    if path == base:
        return 200, {}, json.dumps({"points_possible": fake.most, "grading_type": fake.grading})
    if path == f"{base}/submissions":
        page = int(query.get("page", ["1"])[0])
        entries = [_canvas_entry(fake, *person) for person in PEOPLE[2 * page - 2 : 2 * page]]
        more = {"link": f'<{fake.url}{base}/submissions?page={page + 1}>; rel="next"'} if page == 1 else {}
        return 200, more | {"x-rate-limit-remaining": "600.5"}, json.dumps(entries)
    if path.startswith(f"{base}/submissions/") and method == "PUT":
        user = path.rpartition("/")[2]
        if "submission[posted_grade]" in form:
            fake.points[user] = float(form["submission[posted_grade]"])
        if "comment[text_comment]" in form:
            fake.comments.setdefault(user, []).append((OWNER, form["comment[text_comment]"]))
        return 200, {}, "{}"
    if path == "/api/v1/users/self":
        return 200, {}, json.dumps({"id": OWNER, "name": "Staff"})
    if path.startswith("/files/"):
        target = f"{fake.attachment or fake.url}/stored/{path.rpartition('/')[2]}"
        return 302, {"location": target}, ""
    return 404, {}, "{}"


def _canvas_entry(fake: FakePlatform, user: str, name: str, login: str) -> dict[str, Any]:
    number = int(user) - 10000
    body = right(number).encode()
    attached = {
        "id": 90000 + number + 10 * fake.attempt, "display_name": fake.title, "size": len(body),
        "url": f"{fake.url}/files/{number}",
    }  # fmt: skip
    if fake.anonymous:
        return {
            "anonymous_id": f"aB{number}cD", "attempt": 1, "late": number == 1, "submission_type": "online_upload",
            "submitted_at": "2026-10-01T21:59:00Z", "attachments": [attached],
        }  # fmt: skip
    handed_in, given = number != 4, " ".join(reversed(name.split(", ")))
    return {
        "user_id": int(user), "attempt": fake.attempt if handed_in else None, "late": fake.late and number == 1,
        "submitted_at": "2026-10-01T21:59:00Z" if handed_in else None, "submission_type": "online_upload",
        "score": fake.points.get(user), "excused": user == fake.excused,
        "attachments": [attached] if handed_in else [],
        "user": {"id": int(user), "name": given, "sortable_name": name, "login_id": login},
        "submission_comments": [
            {"id": place, "author_id": author, "comment": text, "created_at": f"2026-10-02T10:00:{place:02}Z"}
            for place, (author, text) in enumerate(fake.comments.get(user, ()))
        ],
    }  # fmt: skip


def _moodle(fake: FakePlatform, method: str, address: str, form: Mapping[str, str]) -> tuple[int, dict[str, str], str]:
    function = form.get("wsfunction", "")
    if urlsplit(address).path.startswith("/files/"):
        return 200, {}, right(int(urlsplit(address).path.rpartition("/")[2]))
    if function == "mod_assign_save_grade":
        _save_in_moodle(fake, form)
        return 200, {}, "null"
    if function == "mod_assign_get_submission_status":
        return 200, {}, json.dumps(_moodle_status(fake, form["userid"], form))
    found = _MOODLE[function](fake) if function in _MOODLE else {"exception": "x", "message": f"no {function} {TOKEN}"}
    return 200, {}, json.dumps(found)


def _save_in_moodle(fake: FakePlatform, form: Mapping[str, str]) -> None:
    """As mod_assign does: where the assignment has comments, a grade that comes without one empties it."""
    editor = "plugindata[assignfeedbackcomments_editor]"
    fake.points[form["userid"]] = float(form["grade"])
    if fake.takes_comments:
        assert form.get(f"{editor}[format]", "1") == "1"
        fake.comments[form["userid"]] = [(OWNER, form.get(f"{editor}[text]", ""))]
    else:
        assert not [key for key in form if key.startswith("plugindata")]


def _moodle_status(fake: FakePlatform, user: str, form: Mapping[str, str]) -> dict[str, Any]:
    """What a grader is shown; nothing of the feedback before a grade is released, where there is a workflow."""
    text = "".join(text for _, text in fake.comments.get(user, ())[-1:])
    assert (form["moodlewssettingraw"], form["moodlewssettingfileurl"]) == ("true", "false")
    if fake.workflow or not (text or user in fake.points):
        return {"lastattempt": {}}
    fields = [{"name": "comments", "description": "Feedback comments", "text": text, "format": 1}]
    return {"feedback": {"plugins": [{"type": "editpdf"}, {"type": "comments", "editorfields": fields}]}}


def _moodle_assignments(fake: FakePlatform) -> dict[str, Any]:
    common = {"plugin": "comments", "subtype": "assignfeedback"}
    configs = [common | {"name": "enabled", "value": str(int(fake.takes_comments))},
               {"plugin": "comments", "subtype": "assignsubmission", "name": "enabled", "value": "1"}]  # fmt: skip
    grade = fake.most if fake.grading == "points" else -3
    own = {"id": 7, "grade": grade, "configs": configs, "markingworkflow": int(fake.workflow)}
    return {"courses": [{"id": 42, "assignments": [{"id": 8, "grade": 1, "configs": []}, own]}]}


def _participants(fake: FakePlatform) -> list[dict[str, Any]]:
    return [
        {"id": int(user), "fullname": " ".join(reversed(name.split(", "))), "username": login,
         "email": f"{login}@example.org", "idnumber": "", "recordid": fake.numbers.get(user, int(user))}
        for user, name, login in PEOPLE
    ]  # fmt: skip


def _moodle_files(fake: FakePlatform) -> dict[str, Any]:
    entries = []
    for user, _, _ in PEOPLE[:3]:
        number = int(user) - 10000
        common = {"filepath": "/", "filesize": len(right(number).encode()), "timemodified": 5,
                  "fileurl": f"{fake.attachment or fake.url}/files/{number}"}  # fmt: skip
        files = [common | {"filename": title} for title in (fake.title, *fake.more_titles)]
        plugin = {"type": "file", "fileareas": [{"area": "submission_files", "files": files}]}
        entry = {"userid": int(user), "attemptnumber": 0, "status": "submitted", "timemodified": 1790000000}
        entries.append(entry | {"plugins": [plugin]})
    return {"assignments": [{"assignmentid": 7, "submissions": entries}]}


def _moodle_grades(fake: FakePlatform) -> dict[str, Any]:
    known = fake.points.items()
    grades = [{"userid": int(user), "attemptnumber": 0, "grade": f"{points:.5f}"} for user, points in known]
    return {"assignments": [{"assignmentid": 7, "grades": grades}]}


_MOODLE = {
    "core_course_get_course_module": lambda fake: {
        "cm": {"id": 901, "course": 42, "instance": 7, "modname": "quiz" if fake.grading == "quiz" else "assign"}
    },
    "mod_assign_list_participants": _participants,
    "mod_assign_get_submissions": _moodle_files,
    "mod_assign_get_grades": _moodle_grades,
    "mod_assign_get_assignments": _moodle_assignments,
}  # fmt: skip


@contextmanager
def serving(fake: FakePlatform) -> Iterator[str]:
    """A server for a platform; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        yield fake.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
