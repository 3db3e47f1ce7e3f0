"""Which zygote serves which slot, and when it is replaced."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from gradetape.records import Slot
from gradetape.runtime.launch import ZygoteProcess
from gradetape.runtime.pool import Pool
from gradetape.runtime.processors import processors
from tests.course import write_files

SLOTS = (Slot(device="a"), Slot(device="b"))


class FakeZygote:
    """A zygote that only records its state."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.has_ended = self.closed = False

    def wait_ready(self) -> None:
        assert not self.closed

    def ended(self, patience_s: float) -> bool:
        return self.has_ended

    def close(self) -> None:
        self.closed = True


class Starter:
    """Starts fake zygotes and keeps them."""

    def __init__(self) -> None:
        self.started: list[FakeZygote] = []

    def __call__(self, slot: Slot) -> ZygoteProcess:
        self.started.append(FakeZygote(slot))
        return cast(ZygoteProcess, self.started[-1])


def test_one_zygote_serves_all_slots_where_they_share_it() -> None:
    start = Starter()
    with Pool(SLOTS, start, shared=True) as pool:
        first, second = pool.take(), pool.take()
        assert first.zygote is second.zygote
        assert [first.slot.device, second.slot.device] == ["a", "b"]
    assert [zygote.closed for zygote in start.started] == [True]


def test_each_slot_has_a_zygote_of_its_own_and_keeps_it() -> None:
    start = Starter()
    with Pool(SLOTS, start, shared=False) as pool:
        for _ in range(3):
            lease = pool.take()
            assert cast(FakeZygote, lease.zygote).slot == lease.slot
            pool.give_back(lease)
        assert len(start.started) == 2
    assert all(zygote.closed for zygote in start.started)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_zygote_that_is_used_up_or_has_ended_is_replaced_for_the_same_slot(fresh: bool) -> None:
    start = Starter()
    with Pool(SLOTS, start, shared=False, fresh=fresh) as pool:
        lease = pool.take()
        cast(FakeZygote, lease.zygote).has_ended = not fresh
        pool.give_back(lease)
        assert [zygote.closed for zygote in start.started] == [True, False, False]
        assert cast(FakeZygote, lease.zygote).slot == lease.slot == start.started[2].slot


def test_zygotes_are_closed_if_a_later_one_cannot_be_started() -> None:
    start = Starter()

    def fails(slot: Slot) -> ZygoteProcess:
        if start.started:
            raise RuntimeError("no more")
        return start(slot)

    with pytest.raises(RuntimeError):
        Pool(SLOTS, fails, shared=False)
    assert start.started[0].closed


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "250000 100000\n"}, 3),
        ({"cpu.max": "9900000 100000\n"}, 64),
        ({"cpu.max": "something else\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
    ],
)
def test_a_container_with_a_share_of_the_processors_has_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)))
    assert processors(write_files(tmp_path, files)) == expected
