"""Pages without names: each student is a pseudonym, which is the same whenever and wherever a page is made.

Names, ids, logins, addresses and paths of files are replaced where they are known to stand, and as whole words in what
the student and staff wrote. It keeps staff from seeing by accident whom they grade, and is no secret from staff.
"""

from __future__ import annotations

import base64
import builtins
import hashlib
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import PurePath

import msgspec

from gradetape.records import (
    DoneMark,
    FinalScore,
    Grade,
    NoSubmission,
    Origin,
    Override,
    TrialResult,
    Unreadable,
)
from gradetape.report import AssignmentPages, StaffNotes, StudentNotes, basis_of
from gradetape.text import printable

_WORD = re.compile(r"[^\W\d_]{3,}")
_PYTHON = {*map(str.lower, keyword.kwlist), *map(str.lower, dir(builtins))}
_SHORTEST = 2


def pseudonym(assignment: str, student: str) -> str:
    """The pseudonym of a student in an assignment."""
    digest = hashlib.sha256(f"{assignment}\0{student}".encode("utf-8", "surrogatepass")).digest()
    return f"Student {base64.b32encode(digest).decode()[:8].lower()}"


class HiddenName:
    """A student's pseudonym, and what it replaces in a text."""

    def __init__(self, name: str, texts: Iterable[str], words: Iterable[str] = ()) -> None:
        self.name = name
        self._texts = {
            variant for text in texts for variant in (text, printable(text)) if len(text.strip()) >= _SHORTEST
        }
        self._parts = {*words}
        self._lower = {text.lower() for text in (*self._texts, *self._parts)}

    def text(self, text: str) -> str:
        """A message without what identifies the student as a whole."""
        return self._whole.sub(self.name, text) if self._may_be_in(text) else text

    def written(self, text: str) -> str:
        """A text that somebody wrote: without any part of the name either."""
        return self._words.sub(self.name, self._whole.sub(self.name, text)) if self._may_be_in(text) else text

    def code(self, text: str) -> str:
        """Code: the same, but that words of Python stay."""
        return self._words.sub(self.name, self._code.sub(self.name, text)) if self._may_be_in(text) else text

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return _pattern(self._texts, re.IGNORECASE)

    @cached_property
    def _words(self) -> re.Pattern[str]:
        return _pattern(self._parts, 0)

    @cached_property
    def _code(self) -> re.Pattern[str]:
        return _pattern([text for text in self._texts if text.lower() not in _PYTHON], re.IGNORECASE)

    def _may_be_in(self, text: str) -> bool:
        lowered = text.lower()
        return any(each in lowered for each in self._lower)


def without_names(pages: AssignmentPages) -> AssignmentPages:
    """The same pages with pseudonyms."""
    records: list[Grade | Unreadable] = [*pages.grades, *pages.unreadable]
    names = {record.student: _hidden(pages.assignment, record) for record in records}

    def for_all(text: str) -> str:
        for name in names.values():
            text = name.text(text)
        return text

    def of(student: str) -> str:
        return names[student].name if student in names else pseudonym(pages.assignment, student)

    grades = [_grade(grade, names[grade.student], for_all) for grade in pages.grades]
    unreadable = [_unreadable(entry, names[entry.student], for_all) for entry in pages.unreadable]
    hidden: list[Grade | Unreadable] = [*grades, *unreadable]
    return replace(
        pages,
        grades=grades,
        unreadable=unreadable,
        final_scores={of(student): _score(score, names[student]) for student, score in _scores(pages, names)},
        changes=[msgspec.structs.replace(each, student=of(each.student)) for each in pages.changes],
        mixed=[msgspec.structs.replace(each, students=tuple(map(of, each.students))) for each in pages.mixed],
        no_submission=[_absent(pages.assignment, person) for person in pages.no_submission],
        notes=StaffNotes({
            names[record.student].name: _notes(
                pages.notes.of(record.student), names[record.student], _basis_in(record, shown), for_all
            )
            for record, shown in zip(records, hidden, strict=True)
        }),
    )  # fmt: skip


def hidden_name(assignment: str, record: Grade | Unreadable) -> HiddenName:
    """The pseudonym of a record's student, and what it replaces."""
    return _hidden(assignment, record)


def trial_without_names(
    assignment: str, tried: Iterable[TrialResult], grades: Iterable[Grade]
) -> tuple[TrialResult, ...]:  # fmt: skip
    """The results of a trial of these grades with pseudonyms."""
    names = {grade.student: _hidden(assignment, grade) for grade in grades}
    return tuple(_tried(each, names[each.student]) for each in tried)


def _tried(each: TrialResult, name: HiddenName) -> TrialResult:
    now = tuple(
        msgspec.structs.replace(
            result, message=name.written(result.message), staff_message=name.written(result.staff_message)
        )
        for result in each.now
    )
    return msgspec.structs.replace(each, student=name.name, now=now, lost=name.written(each.lost))


def _hidden(assignment: str, record: Grade | Unreadable) -> HiddenName:
    name, origin, file = record.student, record.origin, PurePath(record.file)
    words = _WORD.findall(name)
    ids = [origin.id, origin.login, origin.email, origin.email.partition("@")[0]] if origin else []
    known = [each.lower() for each in (*words, *ids) if each]
    parts = [text for part in file.parts for text in (part, PurePath(part).stem)]
    telling = [part for part in parts if any(each in part.lower() for each in known)]
    joined = [sign.join(order) for sign in ("", "_", "-", ".") for order in (words, words[::-1])]
    texts = [name, *ids, record.file, file.name if telling else "", *telling, *joined]
    return HiddenName(pseudonym(assignment, name), texts, [word for word in words if word.lower() not in _PYTHON])


def _grade(grade: Grade, name: HiddenName, for_all: Callable[[str], str]) -> Grade:
    results = tuple(
        msgspec.structs.replace(
            result, message=name.written(result.message), staff_message=name.written(result.staff_message),
            command=name.text(result.command),
        )
        for result in grade.results
    )  # fmt: skip
    return msgspec.structs.replace(
        grade, student=name.name, file=_file(grade), origin=_origin(grade.origin), results=results,
        events=tuple(msgspec.structs.replace(each, text=name.written(each.text)) for each in grade.events),
        cells=tuple(msgspec.structs.replace(cell, source=name.code(cell.source)) for cell in grade.cells),
        notes=tuple(map(for_all, grade.notes)), attention=tuple(map(for_all, grade.attention)),
        review=tuple(map(for_all, grade.review)), concerns=tuple(map(for_all, grade.concerns)),
    )  # fmt: skip


def _unreadable(entry: Unreadable, name: HiddenName, for_all: Callable[[str], str]) -> Unreadable:
    return msgspec.structs.replace(
        entry, student=name.name, file=_file(entry), origin=_origin(entry.origin), reason=for_all(entry.reason),
        for_student=for_all(entry.for_student),
    )  # fmt: skip


def _absent(assignment: str, person: NoSubmission) -> NoSubmission:
    return NoSubmission(student=pseudonym(assignment, person.student), section=person.section)


def _file(record: Grade | Unreadable) -> str:
    return f"submission{PurePath(record.file).suffix}"


def _origin(origin: Origin | None) -> Origin | None:
    return msgspec.structs.replace(origin, id="", login="", email="") if origin else None


def _scores(pages: AssignmentPages, names: Mapping[str, HiddenName]) -> Iterator[tuple[str, FinalScore]]:
    yield from ((student, score) for student, score in (pages.final_scores or {}).items() if student in names)


def _score(score: FinalScore, name: HiddenName) -> FinalScore:
    overrides = tuple(_override(each, name) for each in score.overrides)
    written = tuple(msgspec.structs.replace(each, comment=name.written(each.comment)) for each in score.written)
    lines = tuple(map(name.written, score.lines))
    return msgspec.structs.replace(score, overrides=overrides, lines=lines, written=written)


def _override(override: Override, name: HiddenName) -> Override:
    checks = tuple(_override(each, name) for each in override.checks)
    reason = name.written(override.reason)
    return msgspec.structs.replace(override, student=name.name, reason=reason, checks=checks)


def _notes(
    own: StudentNotes, name: HiddenName, basis: Callable[[DoneMark], str], for_all: Callable[[str], str]
) -> StudentNotes:  # fmt: skip
    """The same notes; `basis` is that of a mark on the page."""

    def text(written: str) -> str:
        return for_all(name.written(written))

    return StudentNotes(
        comments=tuple(msgspec.structs.replace(each, student=name.name, text=text(each.text)) for each in own.comments),
        marks=tuple(msgspec.structs.replace(mark, student=name.name, basis=basis(mark)) for mark in own.marks),
        requests=tuple(
            msgspec.structs.replace(each, student=name.name, text=text(each.text), answer=text(each.answer))
            for each in own.requests
        ),
    )


def _basis_in(record: Grade | Unreadable, shown: Grade | Unreadable) -> Callable[[DoneMark], str]:
    """The basis that a mark of a record has on its page, on which it is as void as it was."""
    return lambda mark: basis_of(shown, mark.question) if mark.basis == basis_of(record, mark.question) else ""


def _pattern(texts: Iterable[str], flags: int) -> re.Pattern[str]:
    """Finds these texts as whole words, the longest first; nothing if there are none."""
    found = "|".join(re.escape(text) for text in sorted({*texts}, key=len, reverse=True) if text)
    return re.compile(rf"(?<![^\W_])(?:{found})(?![^\W_])" if found else r"(?!)", flags)
