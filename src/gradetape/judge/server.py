"""The judge as a server: a pytest session that is collected once, and forked for every submission.

`python -m gradetape.judge.server` reads its requests from a socket on descriptor 0. The parent never runs a check: it
forks a child for each job, forwards the child's results, and keeps the time from outside, since alarms do not interrupt
C code. A child that exceeds its check's deadline is killed: that check is a timeout, and a new child continues with the
rest. If a child dies by itself, its check is a fault, and a new child continues likewise.
"""

from __future__ import annotations

import gc
import os
import resource
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from gradetape.errors import InfrastructureError
from gradetape.judge.context import CheckContext
from gradetape.judge.items import check_of
from gradetape.judge.messages import (
    Began,
    CancelJob,
    Collect,
    Done,
    GoOn,
    JobLost,
    Judged,
    Loaded,
    Message,
    Request,
    RunJob,
    Waits,
)
from gradetape.judge.parts import SilentParts
from gradetape.judge.process import JudgeProcess
from gradetape.judge.registry import loading
from gradetape.judge.session import Judge
from gradetape.judge.transcript import Transcript
from gradetape.judge.verdicts import uncollected, unjudged
from gradetape.records import CellEvent, Check, CheckResult, CollectedChecks, Job, Verdict
from gradetape.remote.budget import JUDGE_MB
from gradetape.remote.replay import Recording, receive_recording, send_recording
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.sandbox import syscalls
from gradetape.sandbox.limits import raise_descriptors
from gradetape.wire.message_channel import MessageChannel, QueueingChannel

OPTIONS = (
    "--noconftest", "--import-mode=importlib", "--disable-plugin-autoload", "--capture=sys", "--tb=line", "-q",
    "--continue-on-collection-errors", "--strict-markers", "-p", "gradetape.judge.plugin", "-p", "no:cacheprovider",
    "-p", "no:tmpdir", "-p", "no:faulthandler", "-p", "no:logging", "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


class Server:
    """The pytest plugin that replaces running the tests."""

    def __init__(self, supervisor: QueueingChannel, judge: Judge, beside: Mapping[str, bytes]) -> None:
        self._supervisor = supervisor
        self._judge = judge
        self._beside = beside
        self._children: dict[int, JudgeProcess] = {}
        self._parts = SilentParts()
        self._selector = selectors.DefaultSelector()
        self._broken: dict[str, str] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Writes nothing to a terminal; `-p no:terminal` would remove the option `--tb` too."""
        config.pluginmanager.unregister(name="terminalreporter")

    def pytest_exception_interact(
        self, call: pytest.CallInfo[None], report: pytest.CollectReport | pytest.TestReport
    ) -> None:
        """Remembers which check files could not be collected, and why."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            self._broken[report.nodeid] = uncollected(call.excinfo.value)[:2000]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serves until the supervisor closes the channel."""
        checks, broken = _described(session, self._broken)
        self._supervisor.send(CollectedChecks(checks=checks, broken=broken))
        gc.collect()
        gc.freeze()
        self._serve(session)
        return True

    def _serve(self, session: pytest.Session) -> None:
        self._selector.register(self._supervisor, selectors.EVENT_READ, None)
        while self._turn(session):
            # It always reads: the supervisor may be sending a request, and reads nothing until that is sent.
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._supervisor.queued else 0)
            self._selector.modify(self._supervisor, wanted, None)

    def _turn(self, session: pytest.Session) -> bool:
        for key, events in self._selector.select(self._timeout()):
            child = key.data
            if child is not None:
                self._receive(child)
                continue
            if events & selectors.EVENT_WRITE:
                self._supervisor.flush()
            if not events & selectors.EVENT_READ:
                continue
            try:
                request = self._supervisor.receive(Request)
            except EOFError:
                return False
            if isinstance(request, CancelJob):
                self._cancel(request.number)
                continue
            items = _in_order(session.items, request.job)
            self._fork(request, items, time.monotonic(), Transcript(request.job.said))
        self._kill_overdue()
        return True

    def _cancel(self, number: int) -> None:
        for child in self._children.values():
            if child.request.number == number:
                child.finished = child.cancelled = True
                os.kill(child.pid, signal.SIGKILL)
        self._drop(number)

    def _drop(self, number: int) -> None:
        self._parts.drop(number, [child.request for child in self._children.values()])

    def _timeout(self) -> float:
        now = time.monotonic()
        return max(0.0, min([now + 3600, *(child.kill_at for child in self._children.values())]) - now)

    def _kill_overdue(self) -> None:
        for child in self._children.values():
            if time.monotonic() >= child.kill_at and not child.overdue:
                child.overdue = True
                os.kill(child.pid, signal.SIGKILL)

    def _fork(self, request: RunJob, items: list[pytest.Item], since: float, transcript: Transcript) -> None:
        """Forks a child for the rest of a job; the submission's time continues from the previous child's."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            host = ChildHost(_with_time_left(request, since), items, MessageChannel(theirs), self._beside)
            _become_child(self._judge, host)
        theirs.close()
        child = JudgeProcess(request, items, pid, MessageChannel(ours), since, transcript)
        self._children[pid] = child
        self._selector.register(child.channel, selectors.EVENT_READ, child)

    def _receive(self, child: JudgeProcess) -> None:
        try:
            message = child.channel.receive(Message)
        except EOFError:
            self._reap(child)
            return
        if isinstance(message, Waits):
            child.wait()
            self._go_on(child, all_silent=self._parts.silence(child.request))
            return
        if isinstance(message, Began) and not child.begin(message):
            return
        if isinstance(message, Judged):
            child.end_check()
        child.finished = child.finished or isinstance(message, Done | JobLost)
        self._supervisor.send(_told(message, child.transcript))

    def _go_on(self, child: JudgeProcess, *, all_silent: bool) -> None:
        """Lets the parts of a submission begin their hidden checks once all of them are silent."""
        for each in self._children.values() if all_silent and child.request.job.part else ():
            if each.waits and each.request.job.part == child.request.job.part:
                each.go_on()

    def _reap(self, child: JudgeProcess) -> None:
        """Handles the end of a child: after its last check, in the middle of a check, or while it prepared one."""
        self._selector.unregister(child.channel)
        child.channel.close()
        _, status = os.waitpid(child.pid, 0)
        del self._children[child.pid]
        unused = not child.stage and child.current is None
        if child.finished or unused:
            self._go_on(child, all_silent=self._parts.end(child.request))
        if child.cancelled:
            self._drop(child.request.number)
        if child.finished:
            return
        if unused:
            self._supervisor.send(
                JobLost(number=child.request.number, reason=f"the judge died before any check ({status})")
            )
            return
        for item in child.items[child.stage : child.stage + 1]:
            trusted, detail = child.request.job.trusted, f"wait status {status}"
            result = unjudged(check_of(item), overdue=child.overdue, trusted=trusted, detail=detail)
            self._supervisor.send(_told(Judged(number=child.request.number, result=result), child.transcript))
        left = [] if child.request.job.stop_at_failure else child.items[child.stage + 1 :]
        self._fork(child.request, left, child.since, child.transcript)


class ChildHost:
    """The host of a judge's child: one job, a channel to the parent, and the files beside the submission."""

    def __init__(
        self, request: RunJob, items: list[pytest.Item], channel: MessageChannel, beside: Mapping[str, bytes]
    ) -> None:
        self._request, self._items, self._channel, self._beside = request, items, channel, beside
        self._context: CheckContext | None = None
        self._ended = self._waited = False
        self.rehearsing = False

    def context(self, item: pytest.Item) -> CheckContext:
        """The job's context."""
        if self._context is None:
            control = ZygoteClient(Path(self._request.zygote), self._request.slot)
            self._context = CheckContext(control, self._request.job, listener=self._loaded, beside=self._beside)
        return self._context

    def began(self, item: pytest.Item, seconds: float) -> None:
        """The parent keeps the time."""
        self._channel.send(Began(number=self._request.number, index=self._items.index(item), seconds=seconds))

    def ended(self, result: CheckResult, said: str) -> None:
        """Forwards a result, unless it belongs to a rehearsal."""
        if not self.rehearsing:
            failed = result.verdict not in (Verdict.PASSED, Verdict.SKIPPED)
            self._ended = self._request.job.stop_at_failure and failed
            sent = self._context.budget.sent_bytes if self._context is not None else 0
            self._channel.send(Judged(number=self._request.number, result=result, said=said, sent_bytes=sent))

    def lost(self, error: InfrastructureError) -> None:
        """Does nothing: the error itself ends this child."""

    def report_lost(self, reason: str) -> None:
        """Reports that the machinery failed."""
        self._channel.send(JobLost(number=self._request.number, reason=reason))

    def run(self) -> None:
        """Runs every item, and sends the report of the session."""
        for index, item in enumerate(self._items):
            following = self._items[index + 1] if index + 1 < len(self._items) else None
            if not check_of(item).public:
                self._wait_for_parts(item)
            if self._request.job.liar or self._request.job.puppet:
                self.context(item).play(self._rehearsed(item))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._ended:
                break
        context = self._context
        if context is None:
            self._channel.send(Done(number=self._request.number))
            return
        context.student.review()
        context.close()
        report = context.student.report
        self._channel.send(
            Done(
                number=self._request.number, events=tuple(report.events), layers=report.layers, devices=report.devices,
                review=report.review, versions=report.versions,
            )
        )  # fmt: skip

    def _wait_for_parts(self, item: pytest.Item) -> None:
        """Before the first hidden check of a part: runs the cells, and waits until no part says anything more."""
        if self._request.job.part is None or self._waited:
            return
        self._waited = True
        if any(loading("student") & set(getattr(each, "fixturenames", ())) for each in self._items):
            self.context(item).load()
        self._channel.send(Waits(number=self._request.number))
        self._channel.receive(GoOn)

    def _loaded(self, events: tuple[CellEvent, ...]) -> None:
        """All cells have run in a worker, which has received nothing else yet."""
        self._channel.send(Loaded(number=self._request.number, events=events))

    def _rehearsed(self, item: pytest.Item) -> Recording:
        """The reference's replies to a check, for a liar under another seed, recorded in a separate process."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                self._rehearse(item, theirs)
            finally:
                os._exit(0)
        theirs.close()
        with ours:
            recording = receive_recording(ours)
        os.waitpid(pid, 0)
        return recording

    def _rehearse(self, item: pytest.Item, sock: socket.socket) -> None:
        job, recording = self._request.job, Recording()
        seed = job.seed if job.puppet else f"{job.seed} rehearsal"
        other = msgspec.structs.replace(job, cells=job.reference, seed=seed)
        self._context, self.rehearsing = (
            CheckContext(
                ZygoteClient(Path(self._request.zygote), self._request.slot), other, recording, beside=self._beside
            ),
            True,
        )
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        send_recording(sock, recording)


def _told(message: Message, transcript: Transcript) -> Message:
    """A child's message for the supervisor: the words of the submission's code only as the transcript tells them."""
    if isinstance(message, Loaded | Done):
        transcript.add_load(message.events)
        return msgspec.structs.replace(message, events=transcript.events)
    if isinstance(message, Judged):
        return msgspec.structs.replace(message, result=transcript.tell(message.result, message.said), said="")
    return message


def _with_time_left(request: RunJob, since: float) -> RunJob:
    limits = request.job.limits
    left = max(limits.submission_s - (time.monotonic() - since), 0.0)
    job = msgspec.structs.replace(request.job, limits=msgspec.structs.replace(limits, submission_s=left))
    return msgspec.structs.replace(request, job=job)


def _in_order(items: list[pytest.Item], job: Job) -> list[pytest.Item]:
    """The requested items, public checks first; in the job's own order if it stops at a failure, as no student's does.

    Only in public checks does the output of a student's code reach the student: none of them may run after a hidden
    check, or the code could keep the hidden inputs and print them then.
    """
    wanted = job.only
    chosen = [item for item in items if wanted is None or check_of(item).id in wanted]
    if job.stop_at_failure and wanted is not None:
        return sorted(chosen, key=lambda item: wanted.index(check_of(item).id))
    return sorted(chosen, key=lambda item: not check_of(item).public)


def _become_child(judge: Judge, host: ChildHost) -> NoReturn:
    """In the child: makes a private folder, limits its memory, and runs the checks."""
    folder, status = "", 1
    try:
        # Inside the judge's folder, which is removed with the judge: a killed child cannot remove its own.
        folder = tempfile.mkdtemp(prefix="job-", dir=os.getcwd())
        syscalls.die_with_parent()
        resource.setrlimit(resource.RLIMIT_DATA, (JUDGE_MB << 20, JUDGE_MB << 20))
        os.chdir(folder)
        judge.host = host
        host.run()
        status = 0
    except InfrastructureError as error:
        host.report_lost(str(error))
    except BaseException:
        host.report_lost(traceback.format_exc()[-2000:])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(status)


def _described(session: pytest.Session, broken: dict[str, str]) -> tuple[tuple[Check, ...], dict[str, str]]:
    """The checks that can be run, and the errors of the files that cannot be used."""
    checks, broken = [], dict(broken)
    for item in list(session.items):
        try:
            checks.append(check_of(item))
        except Exception as error:
            broken[str(item.path)] = str(error)
            session.items.remove(item)
    return tuple(checks), broken


def main() -> int:
    """Reads the paths of the check files from the first message, collects them, and serves."""
    supervisor = QueueingChannel(socket.socket(fileno=os.dup(0)))
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    raise_descriptors()
    work: Collect = supervisor.receive(Collect)
    beside = {name: Path(path).read_bytes() for name, path in work.student_files.items()}
    sys.dont_write_bytecode = True  # no caches in the course's folders
    judge = Judge()
    options = [*OPTIONS, "--rootdir", work.root, "-c", "/dev/null", *work.files]
    return int(pytest.main(options, plugins=[judge, Server(supervisor, judge, beside)]))


if __name__ == "__main__":
    sys.exit(main())
