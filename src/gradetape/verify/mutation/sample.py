"""A seeded sample of mutants that stays nearly the same when some mutants come or go."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gradetape.course.digests import digest_of
from gradetape.verify.mutation.records import GeneratedMutant


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """How many mutants to draw, spread over the questions, and with which seed."""

    size: int
    seed: int = 0


def drawn(mutants: Sequence[GeneratedMutant], sample: Sample) -> list[GeneratedMutant]:
    """The sample, in the order of the mutants: each question gives as many as any other, as far as it has them.

    Mutants are drawn in the order of digests of their own text and the seed.
    """
    ranks: dict[str, list[int]] = {}
    for index in sorted(range(len(mutants)), key=lambda index: _draw(mutants[index], sample.seed)):
        ranks.setdefault(mutants[index].question, []).append(index)
    turns = sorted((turn, indices[turn]) for indices in ranks.values() for turn in range(len(indices)))
    return [mutants[index] for index in sorted(index for _, index in turns[: sample.size])]


def _draw(mutant: GeneratedMutant, seed: int) -> str:
    return digest_of([str(seed), mutant.question, mutant.solution, *mutant.cells])
