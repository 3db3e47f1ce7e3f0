"""What a check and a worker draw from the secret seed tells nothing about it, nor about another check."""

from __future__ import annotations

import zlib
from itertools import pairwise

from gradetape.judge.seeds import check_rng, worker_seed
from gradetape.records import Cell

SEED = "5f3a9c0e7d12b4865f3a9c0e7d12b486"
CHECKS = [
    f"q{number:02}_x::{kind}::test_{name}" for number in range(9) for kind in ("public", "hidden") for name in "ab"
]


def _first(seed: str, check: str) -> tuple[int, ...]:
    return tuple(check_rng(seed, check).integers(1 << 63, size=4).tolist())


def test_every_check_and_every_seed_draws_its_own_numbers_again_and_again() -> None:
    drawn = {_first(seed, check) for check in CHECKS for seed in (SEED, SEED[:-1], f"{SEED} rehearsal")}
    assert len(drawn) == 3 * len(CHECKS)
    assert _first(SEED, CHECKS[0]) == _first(SEED, CHECKS[0])


def test_all_of_the_entropy_is_kept() -> None:
    pool = check_rng(SEED, CHECKS[0]).bit_generator.seed_seq.pool  # type: ignore[attr-defined]
    assert len(pool) == 8 and pool.dtype.itemsize == 4


def test_numbers_are_not_linear_in_what_they_are_drawn_from() -> None:
    """A CRC is: the differences of two checks' numbers would be the same under every seed."""
    seeds = [f"{number:032x}" for number in range(20)]
    for one, other in pairwise(CHECKS):
        assert len({_first(seed, one)[0] ^ _first(seed, other)[0] for seed in seeds}) == len(seeds)
        assert len({_seed(seed, one) ^ _seed(seed, other) for seed in seeds}) == len(seeds)
        assert len({_seed(seed, one) ^ zlib.crc32(f"{seed}{one}".encode()) for seed in seeds}) == len(seeds)


def test_the_numbers_of_a_worker_are_the_same_again_and_others_for_every_check_and_submission() -> None:
    """What a submission has learnt of a hidden check's number helps no other submission to know the check."""
    submissions = [("x = 1",), ("x = 1 ",), ("x = ", "1"), ("x", " = 1"), ("\ud800",), ()]
    drawn = {_seed(SEED, check, *sources) for check in CHECKS for sources in submissions}
    assert len(drawn) == len(CHECKS) * len(submissions) and all(0 <= number < 1 << 32 for number in drawn)
    assert _seed(SEED, CHECKS[0], "x = 1") == _seed(SEED, CHECKS[0], "x = 1") != _seed(SEED[:-1], CHECKS[0], "x = 1")


def _seed(secret: str, check: str, *sources: str) -> int:
    return worker_seed(secret, check, [Cell(source=source) for source in sources])
