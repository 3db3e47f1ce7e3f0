"""Selects the submissions and the assignment of a command, with warnings about the choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gradetape import intake
from gradetape.errors import RequestError, SubmissionError
from gradetape.records import Submission, Unreadable
from gradetape.text import counted, few, one_line

LAYOUTS = intake.LAYOUT_NAMES
is_in_zip = intake.is_in_zip
_SHOWN, _MOST_SHOWN = 20, 100
_NAME = 100


class Selection(msgspec.Struct, frozen=True):
    """The assignment of a batch, its submissions, the files that cannot be graded, and warnings in sentences.

    `recognised` says what the folder was recognised as; it is empty if only files were passed.
    """

    assignment: str
    submissions: tuple[Submission, ...]
    unreadable: tuple[Unreadable, ...]
    warnings: tuple[str, ...] = ()
    recognised: str = ""


def select(
    paths: Sequence[Path], *, assignment: str | None = None, student: str | None = None, layout: str | None = None,
    secret: Sequence[Path] = (),
) -> Selection:  # fmt: skip
    """Reads the submissions at some paths, for the named assignment or the one that most notebooks declare.

    `student` is the student of a single submission, `layout` the name of the folder's layout; `secret` are files and
    folders that no submission may link to. Raises SubmissionError if the assignment is unknown, RequestError if it is
    not certain who owns the files, if `student` is empty, or if there are several submissions.
    """
    taken = intake.take_in(paths, assignment=assignment, layout=layout, secret=secret)
    if taken.problem and student is None:
        raise RequestError(taken.problem)
    found = taken.results if student is None else [_of_student(taken.results, student)]
    name, submissions, unreadable = of_assignment(found, assignment)
    ignored = tuple(_ignored(taken.passed_over))
    if name is None:
        unnamed = any(isinstance(each, Submission) for each in found)
        raise SubmissionError("\n".join((_nothing_to_grade(unreadable, unnamed=unnamed), *ignored)))
    warnings = (*ignored, *_left_out(submissions), *_overruled(submissions, name))
    return Selection(name, tuple(submissions), tuple(unreadable), warnings, _recognised(taken))


def _recognised(taken: intake.Intake) -> str:
    """What the folder was recognised as, such as `Blackboard, 24 students, 31 attempts, 7 older attempts left out`."""
    if not taken.title:
        return ""
    older = taken.attempts - len(taken.results)
    attempts = (
        f", {counted(taken.attempts, 'attempt')}, {counted(older, 'older attempt')} left out" if older > 0 else ""
    )
    return f"{taken.title}, {counted(len(taken.results), 'student')}{attempts}"


def of_assignment(
    found: Sequence[Submission | Unreadable], name: str | None
) -> tuple[str | None, list[Submission], list[Unreadable]]:
    """The assignment of a batch, the submissions to it, and the others.

    Without a name, it is the assignment that most notebooks declare in their metadata.
    """
    submissions = [each for each in found if isinstance(each, Submission)]
    unreadable = [each for each in found if isinstance(each, Unreadable)]
    names = [each.assignment for each in submissions if each.assignment]
    chosen = name or max(names, key=names.count, default=None)
    good = [each for each in submissions if name or each.assignment == chosen is not None]
    others = [_of_other_assignment(each, chosen) for each in submissions if each not in good]
    return chosen, good, [*unreadable, *others]


def _of_other_assignment(submission: Submission, chosen: str | None) -> Unreadable:
    what = "It belongs to another assignment." if submission.assignment else "It does not name an assignment."
    reason = f"{what} Grade it with --assignment {submission.assignment or chosen or 'NAME'}."
    return Unreadable(
        student=submission.student, file=submission.file, sha256=submission.sha256, reason=reason,
        origin=submission.origin, modified=submission.modified,
    )  # fmt: skip


def _of_student(found: Sequence[Submission | Unreadable], student: str) -> Submission | Unreadable:
    if not student.strip():
        raise RequestError("--student is empty: write the student's name")
    if len(found) != 1:
        raise RequestError(f"--student names the student of one submission, but there are {len(found)}: pass one file")
    return intake.renamed(found[0], student)


def _nothing_to_grade(unreadable: Sequence[Unreadable], *, unnamed: bool) -> str:
    """Up to a hundred, since nobody has a row; fewer where only the assignment is missing."""
    shown = unreadable[: _SHOWN if unnamed else _MOST_SHOWN]
    reasons = "\n".join(f"{one_line(entry.file)}: {one_line(entry.reason)}" for entry in shown)
    more = f"\n… and {len(unreadable) - len(shown)} more" if len(shown) < len(unreadable) else ""
    if not unnamed:
        return f"None of these submissions can be graded.\n{reasons}{more}"
    return (
        "None of these files can be graded, and none names its assignment. "
        f"If you know the assignment, name it with --assignment.\n{reasons}{more}"
    )


def _ignored(others: Sequence[Path]) -> Iterator[str]:
    """Names all other files in a folder: one of them could still be a student's."""
    if others:
        names = ", ".join(one_line(path.name, _NAME) for path in others)
        yield f"ignored, since they are not submissions: {names}"


def _left_out(submissions: Sequence[Submission]) -> Iterator[str]:
    """Names the files that were left out because another file of the student counts."""
    found = [f"{each.student} ({', '.join(each.others)})" for each in submissions if each.others]
    if found:
        yield f"not graded, since another file of the same student counts: {_few(found)}"


def _overruled(submissions: Sequence[Submission], name: str) -> Iterator[str]:
    """Counts the notebooks that declare another assignment: with a wrong name, all would get zero points."""
    others = Counter(each.declared_assignment for each in submissions if each.declared_assignment not in (None, name))
    for other, count in others.most_common():
        what = "1 notebook declares" if count == 1 else f"{count} notebooks declare"
        it = "it is" if count == 1 else "they are"
        yield f"{what} the assignment {other}; {it} graded as {name}, as --assignment says"


def _few(names: Sequence[str]) -> str:
    return few(one_line(name, _NAME) for name in names)
