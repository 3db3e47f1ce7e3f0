"""Decides which points and comments a platform gets: only those that differ, and nothing if anything is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from gradetape.errors import RequestError
from gradetape.exports import PLATFORMS, ExportedScore
from gradetape.exports.people import Matching, doubled, matched
from gradetape.lms.base import ApiStudent, LmsPlatform
from gradetape.lms.plain import plain_text
from gradetape.text import as_points, few_lines, one_line

_TOLERANCE = 1e-5

Told = Callable[[str, int, int], None]


class PushRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of an assignment; `chosen` and `partial` are as in `FillRequest`.

    Comments are set if `comments`, and with `replace` also where another one is that somebody else wrote.
    """

    scores: tuple[ExportedScore, ...]
    max_points: float
    chosen: Mapping[str, str] = {}
    partial: bool = False
    comments: bool = False
    replace: bool = False


class StudentPush(msgspec.Struct, frozen=True):
    """What a student gets: new points, a new comment, or both; None is no change."""

    student: ApiStudent
    name: str
    points: float | None = None
    comment: str | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The change in words, and the comment below it."""
        who, before = f"{self.name} (user {self.student.user})", self.student.points
        first = [] if self.points is None else [f"{'nothing' if before is None else f'{before:g}'} -> {self.points:g}"]
        new = [] if self.comment is None else ["a comment"]
        text = () if self.comment is None else plain_text(self.comment).splitlines()
        return (f"{who}: {' and '.join(first + new)}", *(f"    {line}" for line in text))


class PushPlan(msgspec.Struct, frozen=True):
    """What would change, how many points are the same already, and what is left as it is, in sentences."""

    changes: tuple[StudentPush, ...]
    same: int
    notes: tuple[str, ...]

    @property
    def scores(self) -> int:
        """How many students get new points."""
        return sum(change.points is not None for change in self.changes)

    @property
    def comments(self) -> int:
        """How many students get a new comment."""
        return sum(change.comment is not None for change in self.changes)

    def carry_out(self, platform: LmsPlatform, told: Told) -> None:
        """Sets points and comments, one student after another; after an error, a new plan has only what is left."""
        for number, change in enumerate(self.changes, start=1):
            told(change.name, number, len(self.changes))
            platform.save(change.student.user, change.points, change.comment)


def plan_push(platform: LmsPlatform, request: PushRequest, told: Told) -> PushPlan:
    """What would change on a platform; `told` is called for each student whose comment is looked up.

    Raises RequestError, with everything that is wrong, and LmsError.
    """
    most, students = platform.max_points(), platform.students()
    rows = [student.row for student in students]
    matching = matched(PLATFORMS[platform.layout], rows, request.scores, request.chosen)
    _refuse(platform, [*doubled(rows), *matching.problems, *_problems(request, matching, most)])
    by_row = {student.row.number: student for student in students}
    pairs = [(score, by_row[row.number]) for score, row in matching.pairs(request.scores)]
    open_pairs = [(score, student) for score, student in pairs if not student.kept]
    changes, notes = _changes(platform, request, open_pairs, told)
    same = sum(_is_same(score, student) for score, student in open_pairs)
    return PushPlan(changes, same, (*_notes(request, matching, pairs, most), *notes))


def _changes(
    platform: LmsPlatform, request: PushRequest, pairs: Sequence[tuple[ExportedScore, ApiStudent]], told: Told
) -> tuple[tuple[StudentPush, ...], tuple[str, ...]]:
    """What each student gets, and what is left as it is."""
    takes, changes, notes = platform.takes_comments(), list[StudentPush](), list[str]()
    if request.comments and not takes:
        notes.append(f"the assignment takes no comments on {platform.title}: points alone are set")
    for number, (score, student) in enumerate(pairs, start=1):
        points = None if _is_same(score, student) else score.points
        change = StudentPush(student, score.student, points)
        if takes and (request.comments or (platform.replaces_comments and points is not None)):
            if platform.replaces_comments:
                told(f"the comment of {score.student}", number, len(pairs))
            change, note = _commented(platform, request, score, change)
            notes += [f"left as it is: {one_line(score.student)}: {note}"] if note else []
        changes.append(change)
    return tuple(each for each in changes if (each.points, each.comment) != (None, None)), tuple(notes)


def _commented(
    platform: LmsPlatform, request: PushRequest, score: ExportedScore, change: StudentPush
) -> tuple[StudentPush, str]:
    """A change with the comment that it needs, and why something is left as it is."""
    found = platform.comment_of(change.student)
    wanted = platform.comment_from(score.comment) if request.comments and score.comment else ""
    if found.is_known and (not wanted or found.text.split() == wanted.split()):
        return change, ""
    if not found.kept or request.replace:
        return msgspec.structs.replace(change, comment=wanted or None), ""
    kept = change if found.is_known else msgspec.structs.replace(change, points=None)
    return kept, f"{found.kept} (--replace-comments replaces it)"


def _is_same(score: ExportedScore, student: ApiStudent) -> bool:
    return student.points is not None and abs(student.points - (score.points or 0.0)) < _TOLERANCE


def _problems(request: PushRequest, matching: Matching, most: float) -> Iterator[str]:
    known = {score.student for score in request.scores}
    for student in request.chosen:
        if student not in known:
            yield f"--match names {student!r}: no result"
    for score in request.scores:
        if score.points is None:
            continue
        if score.student in matching.unmatched and not request.partial:
            yield f"{one_line(score.student)} has {as_points(score.points)}: {matching.unmatched[score.student]}"
        elif score.points > most + _TOLERANCE:
            yield f"{one_line(score.student)}: {as_points(score.points)}, more than the maximum, {most:g}"


def _notes(
    request: PushRequest, matching: Matching, pairs: Sequence[tuple[ExportedScore, ApiStudent]], most: float
) -> Iterator[str]:
    yield from matching.left(request.scores)
    yield from (f"left as it is: {one_line(score.student)}: {each.kept}" for score, each in pairs if each.kept)
    if most != request.max_points:
        yield (
            f"the maximum on the platform is {most:g}, that of the assignment {request.max_points:g}: points are not "
            "scaled"
        )


def _refuse(platform: LmsPlatform, problems: Sequence[str]) -> None:
    if problems:
        raise RequestError("\n".join([
            f"Nothing was pushed to {platform.title}:", *few_lines(problems),
            "Name a student there with --match STUDENT=ID, leave out those who are not there with --partial, or "
            "correct the results.",
        ]))  # fmt: skip
