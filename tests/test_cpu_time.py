"""CPU seconds are limited beside the wall clock: for a cell, for a check, and for the whole submission."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import msgspec
import pytest

from examples.hostile.delegation import on_a_lesser_machine
from gradetape.errors import Gone
from gradetape.judge.context import CheckContext
from gradetape.records import Cell, Job, Limits
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote
from tests.refusing import hide_control_groups
from tests.remote_sessions import LIMITS, open_session, started

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="root's sandbox does not depend on this machine's settings")

BURN = """
import os, time
def burn():
    while True:
        pass
def burn_in_children(count):
    for _ in range(count):
        if os.fork() == 0:
            burn()
    time.sleep(60)
def burn_for(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""
TIGHT = msgspec.structs.replace(LIMITS, cell_s=60, check_s=60, cell_cpu_s=1, check_cpu_s=1)
WORDS = "CPU seconds"


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started() as zygote:
        yield zygote


@contextmanager
def open_context(zygote: LocalZygote, cell: str, limits: Limits) -> Iterator[CheckContext]:
    job = Job(cells=(Cell(source=cell),), reference=(), seed="s", limits=limits)
    with closing(ZygoteClient(zygote.path)) as control, closing(CheckContext(control, job)) as context:
        yield context


def test_a_cell_that_uses_up_its_cpu_seconds_is_quarantined(zygote: LocalZygote) -> None:
    with open_session(zygote, BURN + "burn()", "after = 1", limits=TIGHT) as opened:
        assert opened.student.after == 1
        (event,) = (event for event in opened.session.report.events if event.kind == "quarantined")
    assert event.cell == 0 and event.text.startswith("timeout") and WORDS in event.text


def test_a_cell_that_waits_uses_up_nothing(zygote: LocalZygote) -> None:
    with open_session(zygote, "import time; time.sleep(1.5); after = 1", limits=TIGHT) as opened:
        assert opened.student.after == 1
        assert opened.session.report.events == []


def test_children_count_too(zygote: LocalZygote) -> None:
    with open_session(zygote, BURN + "burn_in_children(4)", "after = 1", limits=TIGHT) as opened:
        assert opened.student.after == 1
        assert WORDS in opened.session.report.events[0].text


@pytest.mark.parametrize("call", [("burn",), ("burn_in_children", 2)])
def test_a_check_that_uses_up_its_cpu_seconds_is_a_timeout_and_costs_itself_alone(
    zygote: LocalZygote, call: tuple[str, int]
) -> None:
    with open_context(zygote, BURN, TIGHT) as context:
        with pytest.raises(Gone, match=WORDS) as caught, context.check("q::hidden::x", 60, loaded=True):
            name, *arguments = call
            getattr(context.student.names(), name)(*arguments)
        assert caught.value.cause == "timeout"
        with context.check("q::hidden::y", 60, loaded=True):
            context.student.names().burn_for(0.2)
            assert context.budget.event is None


def test_each_check_begins_a_new_count(zygote: LocalZygote) -> None:
    with open_context(zygote, BURN, TIGHT) as context:
        for number in range(3):
            with context.check(f"q::hidden::{number}", 60, loaded=True):
                context.student.names().burn_for(0.6)
                assert context.budget.event is None


def test_a_check_that_asks_for_more_time_gets_more_cpu_seconds(zygote: LocalZygote) -> None:
    with open_context(zygote, BURN, TIGHT) as context, context.check("q::hidden::x", 240, loaded=True):
        context.student.names().burn_for(2)
        assert context.budget.event is None


def test_a_submission_that_uses_up_its_cpu_seconds_gets_no_more_checks(zygote: LocalZygote) -> None:
    limits = msgspec.structs.replace(TIGHT, check_cpu_s=30, submission_cpu_s=2)
    with open_context(zygote, BURN, limits) as context:
        with pytest.raises(Gone, match=WORDS), context.check("q::hidden::x", 60, loaded=True):
            context.student.names().burn()
        with pytest.raises(Gone, match="whole submission"), context.check("q::hidden::y", 60, loaded=True):
            context.student.names().burn_for(0.01)
        assert context.student.worker is None


def test_the_clean_worker_is_limited_too(zygote: LocalZygote) -> None:
    with (
        open_context(zygote, BURN, TIGHT) as context,
        pytest.raises(Gone, match=WORDS),
        context.check("q::hidden::x", 60, loaded=False),
    ):
        tf = context.clean().tf
        while True:
            tf.linalg.svd(tf.ones((500, 500)))


def test_where_no_group_counts_it_the_processes_themselves_say_what_they_used() -> None:
    zygote = on_a_lesser_machine(lambda: LocalZygote(LIMITS, secret=(), isolation="none"), prepare=hide_control_groups)
    with zygote:
        zygote.wait_ready()
        with open_session(zygote, BURN + "burn_in_children(2)", "after = 1", limits=TIGHT) as opened:
            assert opened.student.after == 1
            assert "memory" not in opened.session.report.layers and WORDS in opened.session.report.events[0].text
