"""Groups the failures of a question's checks by likeness: the same check, verdict, message and place of the exception.

Of a message, numbers, addresses and the values that a comparison shows do not count, since they differ from student to
student, and of a place the function counts, not the cell and the line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

import msgspec

from gradetape.records import Check, CheckResult, Grade, Verdict

_FRAME = re.compile(r'^\s*File "<cell \d+>", line \d+, in (.+)$', re.MULTILINE)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LIST = re.compile(r"\[[#\s,.\[\]]*\]")
_LONGEST = 300


class FailureGroup(msgspec.Struct, frozen=True):
    """Failures that are alike, in the order of the grades; `example` is the result of the first student."""

    check: Check
    verdict: Verdict
    message: str
    place: str
    example: CheckResult
    students: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Names the group as it is: with another student or another message it is another group."""
        parts = (self.check.id, self.verdict.value, self.message, self.place, *self.students)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def groups_of(grades: Iterable[Grade], question_id: str) -> list[FailureGroup]:
    """The failures of a question, the biggest group first."""
    found: dict[tuple[str, Verdict, str, str], list[tuple[str, CheckResult]]] = {}
    for grade in grades:
        for result in grade.of(question_id):
            if result.verdict is not Verdict.PASSED:
                key = (result.check.id, result.verdict, alike(result), place(result))
                found.setdefault(key, []).append((grade.student, result))
    groups = [_group(each, message, where) for (_, _, message, where), each in found.items()]
    return sorted(groups, key=lambda group: -len(group.students))


def _group(members: Sequence[tuple[str, CheckResult]], message: str, where: str) -> FailureGroup:
    example = members[0][1]
    return FailureGroup(
        check=example.check, verdict=example.verdict, message=message, place=where, example=example,
        students=tuple(student for student, _ in members),
    )  # fmt: skip


def alike(result: CheckResult) -> str:
    """The first line of a result's message, without what differs from student to student."""
    first = (result.staff_message or result.message).strip().partition("\n")[0][:_LONGEST]
    return " ".join(_LIST.sub("[#]", _NUMBER.sub("#", _ADDRESS.sub("#", first))).split())


def place(result: CheckResult) -> str:
    """The student's function in which the exception was raised, if it is known."""
    frames = _FRAME.findall(result.staff_message or result.message)
    return str(frames[-1]) if frames else ""
