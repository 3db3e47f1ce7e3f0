"""Decides which points a platform gets: only those that differ, and nothing if anything is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from gradetape.errors import RequestError
from gradetape.exports import PLATFORMS, ExportedScore
from gradetape.exports.people import Matching, doubled, matched
from gradetape.lms.base import ApiStudent, LmsPlatform
from gradetape.text import few_lines, one_line

_TOLERANCE = 1e-5


class PushRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of an assignment; `chosen` and `partial` are as in `FillRequest`."""

    scores: tuple[ExportedScore, ...]
    max_points: float
    chosen: Mapping[str, str] = {}
    partial: bool = False


class PointsToPush(msgspec.Struct, frozen=True):
    """New points of a student."""

    student: ApiStudent
    name: str
    points: float

    @property
    def line(self) -> str:
        """The change in words."""
        before = "nothing" if self.student.points is None else f"{self.student.points:g}"
        return f"{self.name} (user {self.student.user}): {before} -> {self.points:g}"


class PushPlan(msgspec.Struct, frozen=True):
    """What would change, how many points are the same already, and what is left as it is, in sentences."""

    changes: tuple[PointsToPush, ...]
    same: int
    notes: tuple[str, ...]

    def carry_out(self, platform: LmsPlatform, told: Callable[[str, int, int], None]) -> None:
        """Sets the points, one student after another; after an error, a new plan has only what is left."""
        for number, change in enumerate(self.changes, start=1):
            told(change.name, number, len(self.changes))
            platform.save(change.student.user, change.points)


def plan_push(platform: LmsPlatform, request: PushRequest) -> PushPlan:
    """What would change on a platform.

    Raises RequestError, with everything that is wrong, and LmsError.
    """
    most, students = platform.max_points(), platform.students()
    rows = [student.row for student in students]
    matching = matched(PLATFORMS[platform.layout], rows, request.scores, request.chosen)
    _refuse(platform, [*doubled(rows), *matching.problems, *_problems(request, matching, most)])
    by_row = {student.row.number: student for student in students}
    pairs = [(score, by_row[matching.rows[score.student].number]) for score in request.scores
             if score.points is not None and score.student in matching.rows]  # fmt: skip
    changes = [PointsToPush(student, score.student, score.points or 0.0) for score, student in pairs
               if not student.kept and not _is_same(score, student)]  # fmt: skip
    same = sum(not student.kept and _is_same(score, student) for score, student in pairs)
    return PushPlan(tuple(changes), same, tuple(_notes(request, matching, pairs, most)))


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
            yield f"{one_line(score.student)} has {score.points:g} points: {matching.unmatched[score.student]}"
        elif score.points > most + _TOLERANCE:
            yield f"{one_line(score.student)}: {score.points:g} points are more than the maximum, {most:g}"


def _notes(
    request: PushRequest, matching: Matching, pairs: Sequence[tuple[ExportedScore, ApiStudent]], most: float
) -> Iterator[str]:
    for score in request.scores:
        if score.points is None:
            yield f"left as it is: {one_line(score.student)}: {score.reason}"
        elif score.student in matching.unmatched:
            yield f"left out: {one_line(score.student)}: {matching.unmatched[score.student]}"
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
