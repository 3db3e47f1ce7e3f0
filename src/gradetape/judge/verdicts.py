"""The verdict of a check, with a message in the grader's own words.

What a student's code says (exception texts, exit statuses, printed text, values) is described apart from that, by
`words_of`, and only for public checks. Whether the student reads it is decided in `transcript`.
"""

from __future__ import annotations

import traceback
from types import TracebackType

import pytest

from gradetape.errors import Flooded, Gone, Missing, Overdue, StudentError, WorkerEvent
from gradetape.judge.registry import FIXTURES
from gradetape.records import Basis, Check, CheckResult, Verdict
from gradetape.remote.budget import CheckBudget
from gradetape.text import printable, strip_ansi, without_addresses

_LIMIT = 6000
_OF_THE_CHECK: dict[type, Verdict] = {Overdue: Verdict.TIMEOUT, MemoryError: Verdict.MEMORY}
_MESSAGES = {
    Verdict.FAILED: "The check failed.",
    Verdict.ERROR: "Your code raised an exception.",
    Verdict.TIMEOUT: "Your code ran out of time. Look for a loop that never ends.",
    Verdict.MEMORY: "Your code ran out of memory. Look for an array that grows with every step.",
    Verdict.CRASHED: "Your code ended the Python process.",
    Verdict.FAULT: "The grader could not run this check. It is not your fault; the course staff will look at it.",
}
_SILENT = (Verdict.PASSED, Verdict.MISSING, Verdict.SKIPPED, Verdict.FAULT)


def verdict_of(error: BaseException | None, budget: CheckBudget, trusted: bool) -> tuple[Verdict, str]:
    """The verdict, and a note for staff.

    The first worker event of a check decides its verdict, even if the check caught it. An exception in the check's own
    code is the grader's fault, unless a value from the student had been received: the check is sound, since the
    reference passes it. `trusted` marks the reference itself: a check that it does not pass is a fault.
    """
    verdict, note = _untrusted(budget.event or error, budget)
    if trusted and verdict not in (Verdict.PASSED, Verdict.SKIPPED):
        return Verdict.FAULT, f"the reference solution does not pass this check ({verdict})"
    return verdict, note


def _untrusted(error: BaseException | None, budget: CheckBudget) -> tuple[Verdict, str]:
    match error:
        case None:
            return Verdict.PASSED, ""
        case pytest.skip.Exception():
            return Verdict.SKIPPED, str(error)
        case Missing():
            return Verdict.MISSING, ""
        case Gone(cause=cause):
            return Verdict(cause), ""
        case StudentError(role="student"):
            return Verdict.ERROR, ""
        case AssertionError() | pytest.fail.Exception() if not isinstance(error, StudentError):
            return Verdict.FAILED, ""
        case Overdue() | Exception() if budget.received:
            kind = _OF_THE_CHECK.get(type(error), Verdict.FAILED)
            return kind, "raised by the check's own code, after it had received a value from the student"
    return Verdict.FAULT, ""


def result_of(
    check: Check,
    error: BaseException | None,
    budget: CheckBudget,
    seconds: float,
    *,
    trusted: bool = False,
    printed: str = "",
    basis: Basis = Basis.TESTIMONY,
    remark: str = "",
) -> CheckResult:
    """One check's result, with the messages for students (in the grader's words) and for staff.

    `remark` says how it was run, if not as usual, to both.
    """
    verdict, note = verdict_of(error, budget, trusted)
    cause = budget.event or error
    earned = check.points if verdict in (Verdict.PASSED, Verdict.SKIPPED) else 0.0
    staff = _for_staff(cause, note, printed, whole=verdict is Verdict.FAULT, trusted=trusted)
    return CheckResult(
        check=check, verdict=verdict, points=earned, seconds=round(seconds, 4),
        message="\n".join(filter(None, (_for_student(verdict, cause), remark))),
        staff_message="\n".join(filter(None, (without_addresses(staff), remark))), basis=basis,
    )  # fmt: skip


def unjudged(check: Check, *, overdue: bool, trusted: bool, detail: str) -> CheckResult:
    """The result of a check whose judge died, or was killed because the check did not end."""
    verdict = Verdict.TIMEOUT if overdue and not trusted else Verdict.FAULT
    cause = "was killed: the check ran past its deadline" if overdue else "died"
    staff = f"the judge {cause} ({detail})"
    return CheckResult(
        check=check, verdict=verdict, points=0.0, seconds=0.0, message=_MESSAGES[verdict], staff_message=staff
    )


def uncollected(error: BaseException) -> str:
    """The reason why a check file cannot be collected."""
    cause = error.__cause__ or error
    return str(cause) if isinstance(cause, pytest.Collector.CollectError) else f"{_place(cause)}{_description(cause)}"


def words_of(result: CheckResult, error: BaseException | None, budget: CheckBudget, printed: str) -> str:
    """What a student's code said in a public check, with the verdict's words around it; empty for a hidden check."""
    if not result.check.public or result.verdict in _SILENT or isinstance(budget.event, Flooded):
        return ""
    parts = [_public_message(result.verdict, budget.event or error)]
    if printed.strip():
        parts.append(f"What your code printed:\n{printed.strip()}")
    return printable(without_addresses(strip_ansi("\n\n".join(part for part in parts if part))), _LIMIT)


def _for_student(verdict: Verdict, error: BaseException | None) -> str:
    """The grader's words: of an exception only the name that is missing, or why the check's author skipped it."""
    if verdict is Verdict.PASSED:
        return ""
    if verdict is Verdict.MISSING or verdict is Verdict.SKIPPED:
        return printable(str(error), _LIMIT)
    if isinstance(error, Flooded) and verdict is Verdict.MEMORY:
        return error.detail
    return _MESSAGES[verdict]


def _public_message(verdict: Verdict, error: BaseException | None) -> str:
    if isinstance(error, StudentError):
        return f"Your code raised {error}\n{error.traceback}".rstrip()
    if isinstance(error, WorkerEvent):
        detail = error.detail or error.said if isinstance(error, Gone) else ""
        return f"{_MESSAGES[verdict]} ({detail})" if detail else _MESSAGES[verdict]
    if isinstance(error, AssertionError | pytest.fail.Exception):
        return str(error).split("\nassert ")[0].strip() or _MESSAGES[verdict]
    return f"{_MESSAGES[verdict]} The value that your code returned could not be used: {error}"


def _for_staff(error: BaseException | None, note: str, printed: str, *, whole: bool, trusted: bool) -> str:
    """The place and the reason come first; pytest's own frames are left out if there are frames of the check."""
    if error is None or isinstance(error, pytest.skip.Exception):
        return note
    lead, note = (f"{note}: ", "") if trusted else ("", note and f"({note})")
    frames = _from_the_check(error.__traceback__)
    deep = whole if frames is not None else not isinstance(error, WorkerEvent | pytest.FixtureLookupError)
    parts = [
        f"{lead}{_place(error)}{_description(error)}", note, error.traceback if isinstance(error, StudentError) else "",
        _formatted(error, frames or error.__traceback__) if deep else "", printed and f"printed:\n{printed}",
    ]  # fmt: skip
    return printable(strip_ansi("\n".join(part for part in parts if part)), 2 * _LIMIT)


def _from_the_check(frames: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins in a check file."""
    while frames is not None and not _in_a_check(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames


def _formatted(error: BaseException, frames: TracebackType | None) -> str:
    return "".join(traceback.format_exception(type(error), error, frames, limit=-12))


def _in_a_check(path: str) -> bool:
    return "test_" in path.rsplit("/", 1)[-1]


def _place(error: BaseException) -> str:
    if isinstance(error, pytest.FixtureLookupError):
        path, line, _ = error.request.node.reportinfo()
        return f"{path}:{line + 1}: "
    where = [frame for frame in traceback.extract_tb(error.__traceback__) if _in_a_check(frame.filename)]
    return f"{where[-1].filename}:{where[-1].lineno}: " if where else ""


def _description(error: BaseException) -> str:
    if isinstance(error, pytest.FixtureLookupError):
        known = ", ".join(fixture.name for fixture in FIXTURES)
        return error.msg or f"there is no fixture {error.argname!r}. A check may use {known}."
    return f"{type(error).__name__}: {error}"
