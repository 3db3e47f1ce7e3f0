"""The judge within a pytest session: fixtures that reach the workers, and a result for each check."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any, Protocol

import pytest

from gradetape.course.check_files import check_file
from gradetape.errors import InfrastructureError, Overdue, WorkerEvent
from gradetape.judge.context import CheckContext
from gradetape.judge.items import basis_of, check_of, limit_of, needs_gpu
from gradetape.judge.registry import FIXTURES, CheckFixture, loading
from gradetape.judge.verdicts import result_of, words_of
from gradetape.records import CheckResult

_GRACE_S = 1.0
FREE = (
    "Run once more without TensorFlow's deterministic operations, which the grader uses and the submission cannot run "
    "with."
)
NO_GPU = "This check needs a GPU, and none is available on this machine. It was not run, and you lose no points."


class Host(Protocol):
    """The process that runs checks: an instructor's own pytest session, or a judge's child."""

    def context(self, item: pytest.Item) -> CheckContext:
        """The context of a check."""

    def began(self, item: pytest.Item, seconds: float) -> None:
        """A check's clock has started."""

    def ended(self, result: CheckResult, said: str) -> None:
        """A check has its result; `said` is what the student's code said in it."""

    def lost(self, error: InfrastructureError) -> None:
        """The grader's machinery failed: this check and all later ones have no result."""


class Judge:
    """A pytest plugin. A server sets each child's host after the fork."""

    def __init__(self, host: Host | None = None) -> None:
        self.host = host
        self._context: CheckContext | None = None
        self._error: BaseException | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Registers the fixtures."""
        config.pluginmanager.register(_fixture_plugin(self._current_context), "gradetape-fixtures")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """One check, from its workers to its result."""
        if check_file(item.path) is None or self.host is None:
            return (yield)
        try:
            context = self._context = self.host.context(item)
        except InfrastructureError as error:
            self.host.lost(error)
            raise
        self._error = None
        check, own = check_of(item), limit_of(item, context.job.limits.check_s)
        limit = context.job.check_limits.get(check.id)
        seconds = own if limit is None else limit.seconds
        asked = set(getattr(item, "fixturenames", ()))
        try:
            loaded, reference = bool(loading("student") & asked), bool(loading("reference") & asked)
            with context.check(check.id, seconds, loaded=loaded, reference=reference):
                started = time.monotonic()
                self.host.began(item, seconds)
                outcome = yield
                if context.budget.broken is not None:
                    raise context.budget.broken
                seconds = time.monotonic() - started
                printed = context.printed() if self._error is not None else ""  # not needed if the check passed
                result = result_of(
                    check, self._error, context.budget, seconds, trusted=context.job.trusted, printed=printed,
                    basis=basis_of(item, context.basis), remark=FREE if context.free else "",
                )  # fmt: skip
                said = words_of(result, self._error, context.budget, printed)
        except InfrastructureError as error:
            self.host.lost(error)
            raise
        self.host.ended(result, said)
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Iterator[None]:
        """Runs a check once more that does not pass with deterministic operations, or with graphs that it can do
        without."""
        try:
            return (yield)
        except (Exception, pytest.fail.Exception, WorkerEvent) as error:
            failure: BaseException | None = error
            while failure is not None:
                failure = self._run_again(pyfuncitem, failure)
        return None

    def _run_again(self, item: pytest.Function, failure: BaseException) -> BaseException | None:
        """Runs a check once more after a failure; returns its new one, and raises the old one if it does not run."""
        if self._context is None or self.host is None or not (seconds := self._context.begin_again(failure)):
            raise failure
        self.host.began(item, seconds)
        _set_alarm(seconds)
        try:
            item.obj(**{name: self._argument(item, name) for name in signature(item.obj).parameters})
        except (Exception, pytest.fail.Exception, WorkerEvent) as error:
            return error
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Limits the check's own code too, a little longer than the worker's replies."""
        if check_file(item.path) is None or self._context is None:
            return (yield)
        signal.signal(signal.SIGALRM, _overdue)
        _set_alarm(self._context.budget.deadline - time.monotonic())
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A check that needs a GPU is skipped if there is none; its points are not lost."""
        if self._context is not None and needs_gpu(item) and not self._context.gpu:
            pytest.skip(NO_GPU)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Keeps the first exception of a check."""
        if call.excinfo is not None and self._error is None:
            self._error = call.excinfo.value
        return (yield)

    def _argument(self, item: pytest.Function, name: str) -> object:
        """The value of a fixture for another run: a new one of those that reach the workers."""
        declared = next((fixture for fixture in FIXTURES if fixture.name == name), None)
        return item.funcargs[name] if declared is None else declared.provide(self._current_context(), check_of(item))

    def _current_context(self) -> CheckContext:
        assert self._context is not None
        return self._context


def _fixture_plugin(context: Callable[[], CheckContext]) -> object:
    """A pytest plugin with the registry's fixtures; `context` returns the context of the current check."""
    return type("CheckFixtures", (), {each.name: _pytest_fixture(each, context) for each in FIXTURES})()


def _pytest_fixture(declared: CheckFixture, context: Callable[[], CheckContext]) -> object:
    def provide(self: object, request: pytest.FixtureRequest) -> object:
        check = check_of(request.node)  # raises for a test outside of a course, where there is no context
        return declared.provide(context(), check)

    provide.__doc__ = declared.description
    return pytest.fixture(name=declared.name)(provide)


def _set_alarm(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01) + _GRACE_S)


def _overdue(*_: Any) -> None:
    raise Overdue("the check's own code ran past its deadline")
