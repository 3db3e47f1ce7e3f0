"""What a student has handed in: files, code cells, written answers, and where they come from."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Question(msgspec.Struct, frozen=True, kw_only=True, rename={"id": "stem"}):
    """One exercise of an assignment; its `id` names all its files, `points` is what students see.

    Gradebooks of every version store the id as `stem`.
    """

    id: str
    title: str
    points: float


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """The text of one code cell; `question` is the question id that the notebook's metadata gives it, if any.

    `script`: it is part of a script, which has a `__file__`.
    """

    source: str
    question: str | None = None
    script: bool = False


# What `gradetape fetch moodle` puts before the number of a user of Moodle's, which is no participant's number.
MOODLE_USER = "user-"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a submission comes from: the layout of the folder, and what the platform says of the person and the time.

    `layout` is the layout's name, such as `canvas`; `id` the platform's id of the person. A text is empty if the
    platform does not say it. `submitted` has a time zone and is None if the time is unknown; `late` is the platform's
    own mark, None if it has none.
    """

    layout: str
    id: str = ""
    login: str = ""
    email: str = ""
    section: str = ""
    submitted: datetime | None = None
    late: bool | None = None

    @property
    def known_by(self) -> str:
        """The id, or else the login, or else the email; empty if the platform says none of them."""
        return self.id or self.login or self.email

    @property
    def has_own_id(self) -> bool:
        """Whether the id is the platform's own: in the downloads of all others it is the university's."""
        return self.layout in ("canvas", "moodle", "brightspace")


class AnswerPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a written answer: `kind` is `text`, `code`, `picture` or `note`, which says what was left out.

    `picture` are the bytes of a PNG file.
    """

    kind: str
    text: str = ""
    picture: bytes = b""


class WrittenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a notebook holds as the answer to a written question, in the order of its cells."""

    question: str
    parts: tuple[AnswerPart, ...] = ()


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A student's submission as text; nothing in it was run. `sha256` is of the file's bytes.

    `assignment` is the one that it is graded for, `declared_assignment` the one that its metadata names, if any.
    `modified` is when the file was last changed, according to the file system: an ISO time in UTC, or empty. `others`
    are the names of the student's files that were not graded because this one counts. `origin` is None if the file
    was passed by itself, and in the records of older versions. `answers` are those to written questions that the
    notebook has cells for.
    """

    student: str
    file: str
    sha256: str
    assignment: str | None
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    modified: str = ""
    declared_assignment: str | None = None
    others: tuple[str, ...] = ()
    origin: Origin | None = None
    answers: tuple[WrittenAnswer, ...] = ()


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A file that cannot be read as a submission, with the reason and what to do next.

    `for_student` replaces `reason` on the student's page where `reason` names other people or their files. `modified`
    is when the file was last changed, as that of a submission; of several files, the earliest.
    """

    student: str
    file: str
    sha256: str
    reason: str
    for_student: str = ""
    origin: Origin | None = None
    modified: str = ""


class NoSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the class list who has handed in nothing. What the list does not say is empty."""

    student: str
    id: str = ""
    email: str = ""
    section: str = ""
