"""The class list: who is in the course, from a table of one's own or from a platform's own file of grades.

One's own table has the columns name, and any of id, email, login, section, and `canvas_id`, `brightspace_id` and
`github`, by which these platforms know a person. A platform's file is recognised by its headers, and read as the
exports read it. Moodle's numbers of participants are of one assignment, and so none of a class.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from gradetape.errors import ConfigError, RequestError
from gradetape.exports.canvas import names as canvas_names
from gradetape.exports.fields import SEPARATORS, EncodedText, FieldTable, first_row
from gradetape.exports.people import ExportedScore, RowIndex, doubled, file_rows
from gradetape.exports.platform import FileRow, GradePlatform, folded, place_of, tidied, value_at
from gradetape.exports.registry import PLATFORMS
from gradetape.records import NoSubmission, Origin
from gradetape.text import few_lines

_OWN_IDS: Mapping[str, str] = MappingProxyType(
    {"canvas_id": "canvas", "brightspace_id": "brightspace", "github": "github"}
)
_COLUMNS = ("name", "id", "email", "login", "section", *_OWN_IDS)
_SECTIONS = ("Section", "Sections", "Groups", "Group")
_TEST_STUDENT = "Student, Test"


class ClassMember(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the class list, by the row in its file; `student` is the name in the gradebook.

    `own_ids` are ids that only one platform uses, by the layout of its submissions. What is unknown is empty.
    """

    row: FileRow
    student: str
    id: str = ""
    email: str = ""
    login: str = ""
    section: str = ""
    own_ids: Mapping[str, str] = {}

    @property
    def without_submission(self) -> NoSubmission:
        """The person as one who has handed in nothing."""
        return NoSubmission(student=self.student, id=self.id, email=self.email, section=self.section)

    def known_to(self, origin: Origin) -> Origin:
        """What the platform says of the person, with what only the class list says."""
        own = self.own_ids.get(origin.layout, "") if origin.has_own_id else self.id
        return msgspec.structs.replace(
            origin, id=origin.id or own, login=origin.login or self.login, email=origin.email or self.email,
            section=origin.section or self.section,
        )  # fmt: skip


class ClassList(msgspec.Struct, frozen=True):
    """Everybody in the course; `name` is the file's."""

    name: str
    members: tuple[ClassMember, ...]

    def index(self, layout: str) -> RowIndex:
        """The members as submissions of this layout name them."""
        return RowIndex(layout, [_row_for(member, layout) for member in self.members])

    @property
    def by_row(self) -> Mapping[int, ClassMember]:
        """The members by the numbers of their rows."""
        return {member.row.number: member for member in self.members}


class ClassLookup:
    """Finds members of a class list; an index is made once for each layout."""

    def __init__(self, people: ClassList) -> None:
        self._people = people
        self._by_row = people.by_row
        self._indices: dict[str, RowIndex] = {}

    def member(self, student: str, origin: Origin | None, chosen: str = "") -> tuple[ClassMember | None, str]:
        """The member that a submission is of, or None with the reason; `chosen` identifies one, whatever it says."""
        layout = origin.layout if origin else ""
        if layout not in self._indices:
            self._indices[layout] = self._people.index(layout)
        score = ExportedScore(student=student, origin=origin)
        rows, why = self._indices[layout].candidates(score, False, chosen)
        return (self._by_row[rows[0].number], "") if len(rows) == 1 else (None, why)


def read_class_list(content: bytes, name: str) -> ClassList:
    """The class list in a file; raises ConfigError, with the rows, if it is none or if it contradicts itself."""
    try:
        source = EncodedText.of(content, name)
        separator, platform = _kind(source, name)
        table = FieldTable.of(source, separator, name)
    except RequestError as error:
        raise ConfigError(f"The class list cannot be read. {error}") from None
    members = _own(table.values) if platform is None else _of_platform(platform, table.values)
    problems = [*doubled([member.row for member in members]), *_nameless(members), *_alike(members)]
    if problems or not members:
        found = few_lines(problems) or ["  it has no row with a person"]
        raise ConfigError("\n".join([f"The class list {name} was not used:", *found, "Correct these rows."]))
    return ClassList(name, tuple(_told_apart(members)))


def _kind(source: EncodedText, name: str) -> tuple[str, GradePlatform | None]:
    """The separator of a file, and the platform that it is of; None for a table of one's own."""
    headers = {separator: first_row(source, separator) for separator in SEPARATORS}
    for separator, header in headers.items():
        named = {folded(text) for text in header}
        if "name" in named and named <= set(_COLUMNS):
            return separator, None
    found = [
        (len(platform.required), separator, platform)
        for separator, header in headers.items()
        for platform in PLATFORMS.values()
        if platform.has_headers(header)
    ]
    if not found:
        known = max(headers.values(), key=len)
        raise ConfigError(
            f"The class list {name} has the columns {', '.join(map(repr, known))}. Write the columns "
            f"{', '.join(_COLUMNS)}, of which only name is needed, or use a platform's own file of grades."
        )
    _, separator, platform = max(found, key=lambda each: each[0])
    return separator, platform


def _own(rows: Sequence[Sequence[str]]) -> list[ClassMember]:
    places = {column: place_of(rows[0], [column]) for column in _COLUMNS}
    found = []
    for number, row in enumerate(rows[1:], start=2):
        value = {column: tidied(value_at(row, place)) for column, place in places.items()}
        if any(value.values()):
            found.append(_own_member(number, value))
    return found


def _own_member(number: int, value: Mapping[str, str]) -> ClassMember:
    own = {layout: value[column] for column, layout in _OWN_IDS.items() if value[column]}
    row = FileRow(
        number=number, student_ids=_if_any(value["id"]), logins=_if_any(value["login"]),
        emails=_if_any(value["email"]), names=_if_any(value["name"]),
    )  # fmt: skip
    return ClassMember(
        row=row, student=value["name"], id=value["id"], email=value["email"], login=value["login"],
        section=value["section"], own_ids=own,
    )  # fmt: skip


def _if_any(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _of_platform(platform: GradePlatform, rows: Sequence[Sequence[str]]) -> list[ClassMember]:
    section = place_of(rows[0], _SECTIONS)
    own = platform.layout if platform.layout in _OWN_IDS.values() else ""
    found = []
    for row in file_rows(platform, rows):
        if _TEST_STUDENT in row.names and not row.student_ids:  # Canvas's own, in every course
            continue
        found.append(ClassMember(
            row=row, student=next((name for name in row.names if ", " not in name), ""), id=_first(row.student_ids),
            email=_first(row.emails), login=_first(row.logins), section=tidied(value_at(rows[row.number - 1], section)),
            own_ids={own: row.own_ids[0]} if own and row.own_ids else {},
        ))  # fmt: skip
    return found


def _first(texts: Sequence[str]) -> str:
    return texts[0] if texts else ""


def _row_for(member: ClassMember, layout: str) -> FileRow:
    """A member's row with the ids and names that submissions of this layout have."""
    own = _if_any(member.own_ids.get(layout, ""))
    names = (*member.row.names, *(_canvas_forms(member.row.names) if layout == "canvas" else ()))
    return member.row._replace(own_ids=own, names=tuple(dict.fromkeys((member.student, *names))))


def _canvas_forms(names: Sequence[str]) -> Iterator[str]:
    """The names as in Canvas's downloads, `doejane` for Jane Doe; a last name may have several words."""
    for name in names:
        words = name.replace(",", "").split()
        yield from (form for at in range(len(words)) for form in canvas_names(" ".join(words[at:] + words[:at])))


def _nameless(members: Sequence[ClassMember]) -> Iterator[str]:
    yield from (f"row {member.row.number} has no name" for member in members if not member.student)


def _alike(members: Sequence[ClassMember]) -> Iterator[str]:
    """People of one name whom nothing tells apart, and own ids that several have."""
    for group in _by_name(members):
        marks = [_mark(member) for member in group]
        if len(group) > 1 and (not all(marks) or len(set(marks)) < len(marks)):
            numbers = " and ".join(str(member.row.number) for member in group)
            yield f"rows {numbers} are of {group[0].student!r}, and have no id that tells them apart"
    own = Counter((layout, folded(text)) for member in members for layout, text in member.own_ids.items())
    for (layout, text), count in own.items():
        if count > 1:
            yield f"{count} rows have the id {text!r} of {layout}"


def _told_apart(members: Sequence[ClassMember]) -> Iterator[ClassMember]:
    """People of one name get their id behind it."""
    for group in _by_name(members):
        for member in group:
            student = f"{member.student} ({_mark(member)})" if len(group) > 1 else member.student
            yield msgspec.structs.replace(member, student=student)


def _by_name(members: Sequence[ClassMember]) -> list[list[ClassMember]]:
    same = defaultdict[str, list[ClassMember]](list)
    for member in members:
        same[folded(member.student)].append(member)
    return list(same.values())


def _mark(member: ClassMember) -> str:
    """What tells people of one name apart."""
    return member.id or member.login or member.email or _first(tuple(member.own_ids.values()))
