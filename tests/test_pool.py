"""Which zygote serves which slot, and when another takes its place."""

from __future__ import annotations

from typing import cast

import pytest

from gradetape.records import Slot
from gradetape.runtime.launch import ZygoteProcess
from gradetape.runtime.pool import Pool

SLOTS = (Slot(device="a"), Slot(device="b"))


class Played:
    """A zygote that only says what became of it."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.gone = self.closed = False

    def wait_ready(self) -> None:
        assert not self.closed

    def ended(self, patience_s: float) -> bool:
        return self.gone

    def close(self) -> None:
        self.closed = True


class Makes:
    """Starts played zygotes, and keeps them."""

    def __init__(self) -> None:
        self.made: list[Played] = []

    def __call__(self, slot: Slot) -> ZygoteProcess:
        self.made.append(Played(slot))
        return cast(ZygoteProcess, self.made[-1])


def test_one_zygote_serves_all_slots_where_they_share_it() -> None:
    start = Makes()
    with Pool(SLOTS, start, shared=True) as pool:
        first, second = pool.take(), pool.take()
        assert first.zygote is second.zygote
        assert [first.slot.device, second.slot.device] == ["a", "b"]
    assert [zygote.closed for zygote in start.made] == [True]


def test_each_slot_has_a_zygote_of_its_own_and_keeps_it() -> None:
    start = Makes()
    with Pool(SLOTS, start, shared=False) as pool:
        for _ in range(3):
            lease = pool.take()
            assert cast(Played, lease.zygote).slot == lease.slot
            pool.give_back(lease)
        assert len(start.made) == 2
    assert all(zygote.closed for zygote in start.made)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_zygote_that_is_spent_or_gone_is_replaced_for_the_same_slot(fresh: bool) -> None:
    start = Makes()
    with Pool(SLOTS, start, shared=False, fresh=fresh) as pool:
        lease = pool.take()
        cast(Played, lease.zygote).gone = not fresh
        pool.give_back(lease)
        assert [zygote.closed for zygote in start.made] == [True, False, False]
        assert cast(Played, lease.zygote).slot == lease.slot == start.made[2].slot


def test_what_was_started_is_ended_where_the_next_cannot_be() -> None:
    start = Makes()

    def fails(slot: Slot) -> ZygoteProcess:
        if start.made:
            raise RuntimeError("no more")
        return start(slot)

    with pytest.raises(RuntimeError):
        Pool(SLOTS, fails, shared=False)
    assert start.made[0].closed
