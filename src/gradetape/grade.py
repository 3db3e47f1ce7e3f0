"""One submission to one grade: the lanes that judge a case, and how results become a Grade."""

from __future__ import annotations

import hashlib
import os
import platform
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

import msgspec

from gradetape import scratch
from gradetape.errors import CourseError, InfrastructureError, ZygoteError
from gradetape.judge.bench import Case
from gradetape.judge.cases import Exam
from gradetape.judge.items import place_of
from gradetape.judge.line import Line
from gradetape.judge.messages import Cancel, Collected, Done, Judged, Lost, Message, Order
from gradetape.places import Places
from gradetape.records import CellEvent, Check, CheckResult, Grade, Status, Submission, Verdict
from gradetape.sandbox.pool import Pool, Seat

_PACKAGES = ("gradetape", "tensorflow", "tensorflow-cpu", "keras", "tf-keras", "numpy", "pytest")
_COLLECT_S = 120.0
_GRACE_S = 0.3


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge found out about one case."""

    results: tuple[CheckResult, ...]
    events: tuple[CellEvent, ...] = ()
    layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    review: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class _Work:
    """An order that is being judged."""

    seat: Seat
    started: float
    results: list[CheckResult]


class Lanes:
    """Warm far sides and a judge whose checks are collected; judges up to `capacity()` cases at a time.

    A context manager. Raises InfrastructureError where the far side cannot be started. After a loss all is started anew
    with the next case.
    """

    def __init__(self, exam: Exam, places: Places) -> None:
        self._exam = exam
        self._places = places
        self._stack = ExitStack()
        self._work: dict[int, _Work] = {}
        self._count = 0
        self._pool: Pool | None = None
        self._line: Line | None = None
        self._collected: Collected | None = None

    @property
    def collected(self) -> Collected:
        """The checks, and the files that could not be read."""
        self._start()
        assert self._collected is not None
        return self._collected

    def capacity(self) -> int:
        """How many cases may be under way."""
        return len(self._places.slots)

    def submit(self, case: Case) -> int:
        """Begins to judge a case; its number."""
        self._start()
        assert self._line is not None and self._pool is not None
        seat = self._pool.take()
        self._count += 1
        self._work[self._count] = _Work(seat, time.monotonic(), [])
        with suppress(OSError):  # if the judge is gone, wait() finds that out
            self._line.send(Order(number=self._count, zygote=str(seat.zygote.path), slot=seat.slot, case=case))
        return self._count

    def wait(self, timeout_s: float) -> list[tuple[int, Outcome | Lost]]:
        """The cases that have ended; waits for news no longer than `timeout_s`."""
        if self._line is None:
            return []
        readable, _, _ = select.select([self._line], [], [], timeout_s)
        if not readable:
            return []
        try:
            return self._hear(self._line.receive(Message))
        except (EOFError, OSError):
            return self._all_lost("the judge is gone")

    def forget(self, number: int) -> None:
        """Stops judging a case."""
        if number in self._work and self._line is not None:
            with suppress(OSError):
                self._line.send(Cancel(order=number))
            self._finished(number)

    def judge(self, case: Case) -> Outcome:
        """Judges one case by itself; raises InfrastructureError where it was lost."""
        number = self.submit(case)
        while True:
            for ended, outcome in self.wait(60.0):
                if ended != number:
                    continue
                if isinstance(outcome, Lost):
                    raise InfrastructureError(f"the case was lost: {outcome.reason}")
                return outcome

    def renew(self) -> None:
        """Lets the next case have a fresh zygote and a fresh judge; nothing is under way."""
        self.close()

    def close(self) -> None:
        """Ends the judge, the zygote and every worker."""
        self._line = self._pool = None
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hear(self, message: Message) -> list[tuple[int, Outcome | Lost]]:
        if isinstance(message, Collected) or message.order not in self._work:
            return []
        if isinstance(message, Judged):
            self._work[message.order].results.append(message.result)
            return []
        if isinstance(message, Lost):
            return [(message.order, message), *self._after_loss(message.order)]
        if isinstance(message, Done):
            work = self._finished(message.order)
            seconds = round(time.monotonic() - work.started, 3)
            found = Outcome(
                results=tuple(work.results), events=message.events, layers=message.layers, devices=message.devices,
                review=message.review, versions=message.versions, seconds=seconds,
            )  # fmt: skip
            return [(message.order, found)]
        return []

    def _finished(self, number: int) -> _Work:
        work = self._work.pop(number)
        if self._pool is not None:
            self._pool.give_back(work.seat)
        return work

    def _after_loss(self, number: int) -> list[tuple[int, Outcome | Lost]]:
        """Where a zygote that all share is gone, so is all else."""
        gone = self._work[number].seat.zygote.ended(_GRACE_S)
        if gone and self._places.shared:
            del self._work[number]
            return self._all_lost("the zygote is gone")
        self._finished(number)
        return []

    def _all_lost(self, reason: str) -> list[tuple[int, Outcome | Lost]]:
        lost = [(number, Lost(order=number, reason=reason)) for number in self._work]
        self._work.clear()
        self.close()
        return list(lost)

    def _start(self) -> None:
        if self._line is not None:
            return
        try:
            self._start_both()
        except BaseException:
            self.close()
            raise

    def _start_both(self) -> None:
        self._pool = self._stack.enter_context(self._places.open())
        self._line = self._start_judge()
        self._collected = self._collect(self._line)
        self._pool.wait_ready()

    def _start_judge(self) -> Line:
        ours, theirs = socket.socketpair()
        folder = self._stack.enter_context(scratch.folder("gradetape-judge-"))
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "gradetape.judge.server"], stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=folder, start_new_session=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        )  # fmt: skip
        theirs.close()
        line = Line(ours)
        self._stack.callback(_end, process)
        self._stack.callback(line.close)
        line.send([str(self._exam.course.root), *map(str, self._exam.check_files)])
        return line

    def _collect(self, line: Line) -> Collected:
        try:
            readable, _, _ = select.select([line], [], [], _COLLECT_S)
            if readable:
                found: Collected = line.receive(Message)
                return found
        except (EOFError, OSError):
            pass
        raise ZygoteError("the judge could not collect the checks. Try pytest autograder/ to see why.")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Rubric:
    """What an assignment's checks are worth, and which of them can be trusted.

    `faults` says why a check cannot be, by its id: its file cannot be read, or the reference does not pass it.
    """

    exam: Exam
    checks: tuple[Check, ...]
    faults: Mapping[str, str]

    @classmethod
    def of(cls, exam: Exam, collected: Collected, only: Collection[str] | None = None) -> Rubric:
        """The rubric of what was collected; raises CourseError where points do not add up to the question's total."""
        stems = set(exam.assignment.stems if only is None else only)
        unread = {check.id: text for check, text in _unread(exam, collected) if check.question in stems}
        lost = [check for check, _ in _unread(exam, collected)]
        checks = tuple(check for check in (*collected.checks, *lost) if check.question in stems)
        _refuse_other_sums(exam, checks)
        order = {stem: number for number, stem in enumerate(exam.assignment.stems)}
        return cls(exam, tuple(sorted(checks, key=lambda check: (order[check.question], not check.public))), unread)

    def proven(self, reference: Outcome) -> Rubric:
        """The same rubric, where what the reference does not pass is a fault for everyone."""
        failed = {
            result.check.id: result.staff_message
            for result in reference.results
            if result.verdict not in (Verdict.PASSED, Verdict.SKIPPED)
        }
        return Rubric(self.exam, self.checks, {**self.faults, **failed})

    @property
    def sound(self) -> tuple[str, ...]:
        """The ids of the checks that are worth running."""
        return tuple(check.id for check in self.checks if check.id not in self.faults)

    def complete(self, results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
        """Results in the rubric's order, with a fault for every check that has none."""
        known = {result.check.id: result for result in results}
        return tuple(known.get(check.id) or self._fault(check) for check in self.checks)

    def _fault(self, check: Check) -> CheckResult:
        reason = self.faults.get(check.id, "the judge gave no result for this check")
        message = "The grader could not judge this check. A person will look at it; you need to do nothing."
        return CheckResult(
            check=check, verdict=Verdict.FAULT, points=0.0, seconds=0.0, message=message, staff_message=reason
        )


def _unread(exam: Exam, collected: Collected) -> list[tuple[Check, str]]:
    """For each check file that could not be read, a check that stands for the points that are missing."""
    found: list[tuple[Check, str]] = []
    for path, text in collected.broken.items():
        place = place_of(exam.course.root / path)
        if place is None:
            continue
        _, _, stem, public = place
        have = sum(check.points for check in collected.checks if check.question == stem)
        total = next(question.points for question in exam.assignment.questions if question.stem == stem)
        missing = max(total - have - sum(check.points for check, _ in found if check.question == stem), 0.0)
        title = "The checks of this question could not be read"
        check = Check(question=stem, name=Path(path).name, public=public, title=title, hint="", points=missing)
        found.append((check, text))
    return found


def _refuse_other_sums(exam: Exam, checks: Sequence[Check]) -> None:
    wrong = []
    for question in exam.assignment.questions:
        found = [check.points for check in checks if check.question == question.stem]
        if found and abs(sum(found) - question.points) > 1e-9:
            wrong.append(
                f"{question.stem}: its checks give {sum(found):g} points, assignment.yml says {question.points:g}"
            )
    if wrong:
        raise CourseError("The points do not add up. Change @points or assignment.yml:\n" + "\n".join(wrong))


class Marker:
    """Makes grades of outcomes: knows the masters and the environment, and the key that they give a submission.

    `command` quotes a file's name for the command line that staff can paste.
    """

    def __init__(
        self, exam: Exam, *, question: str | None, places: Places, command: Callable[[str], str] = str
    ) -> None:
        self._exam = exam
        self._stems = (question,) if question else exam.assignment.stems
        self._places = places
        self._command = command

    def key(self, submission: Submission) -> str:
        """The digest of all that decides the result: the submission, the checks, the environment and the policy."""
        return _digest(submission.sha256, submission.student, self._basis)

    def grade(self, rubric: Rubric, submission: Submission, outcome: Outcome) -> Grade:
        """The grade of a judged submission; a fault makes it one that needs attention."""
        found = rubric.complete(outcome.results)
        attention = tuple(_fault_told(result) for result in found if result.verdict is Verdict.FAULT)
        results = tuple(self._with_command(submission, result) for result in found)
        return self._made(submission, outcome, results=results, attention=attention)

    def lost(self, rubric: Rubric, submission: Submission, reason: str) -> Grade:
        """A grade without results, which is never taken for a final one."""
        attention = (f"the grader's machinery failed twice, the second time newly started: {reason}",)
        return self._made(submission, Outcome(results=()), results=rubric.complete(()), attention=attention)

    def _made(
        self, submission: Submission, outcome: Outcome, *, results: tuple[CheckResult, ...], attention: tuple[str, ...]
    ) -> Grade:
        assignment = self._exam.assignment
        return Grade(
            assignment=assignment.name, student=submission.student, file=submission.file, sha256=submission.sha256,
            key=self.key(submission), status=Status.NEEDS_ATTENTION if attention else Status.GRADED,
            isolation=self._places.isolation, results=results, events=outcome.events, notes=submission.notes,
            attention=attention, layers=outcome.layers, devices=outcome.devices, seconds=outcome.seconds,
            questions=tuple(question for question in assignment.questions if question.stem in self._stems),
            review=outcome.review, versions=self.versions | outcome.versions, modified=submission.modified,
        )  # fmt: skip

    def _with_command(self, submission: Submission, result: CheckResult) -> CheckResult:
        """Names the command that runs this check alone, in the course's folder, where it did not pass."""
        if result.verdict is Verdict.PASSED:
            return result
        check, name = result.check, self._exam.assignment.name
        hidden = f"autograder/{name}/test_{check.question}.py"
        path = f"assignments/{name}/{check.question}/test_public.py" if check.public else hidden
        # A check that stands for a file that cannot be read bears the file's name.
        node = path if path.endswith(f"/{check.name}") else f"{path}::{check.name}"
        file = self._command(self._from_root(submission.file))
        return msgspec.structs.replace(result, command=f"pytest {self._command(node)} --submission {file}")

    def _from_root(self, file: str) -> str:
        """A file's path as it is from the course's folder, and whole where it lies outside."""
        path, root = Path(os.path.abspath(file)), self._exam.course.root
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)

    @cached_property
    def versions(self) -> dict[str, str]:
        """The software that grades, by its name."""
        found = {"python": platform.python_version()}
        for name in _PACKAGES:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
        return found

    @cached_property
    def _basis(self) -> str:
        exam = self._exam
        config = exam.course.config
        files = [path.read_bytes().hex() for path in exam.check_files]
        cells = [cell.source for cell in exam.reference]
        settings = [self._places.identity, str(config.keras), msgspec.json.encode(config.limits.record()).decode()]
        versions = [f"{name}={number}" for name, number in sorted(self.versions.items())]
        return _digest(
            exam.assignment.name, exam.secrets.seed().hex(), *self._stems, *files, *cells, *settings, *versions
        )


def _fault_told(result: CheckResult) -> str:
    why = result.staff_message.strip().partition("\n")[0] or "the grader could not judge it"
    return f"{result.check.id}: {why}"


def _digest(*parts: str) -> str:
    return hashlib.sha256(
        "\0".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
    ).hexdigest()
