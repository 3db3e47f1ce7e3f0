"""Phrases: digests of `PHRASE` tokens in a row, as in winnowing (Schleimer, Wilkerson and Aiken, SIGMOD 2003), all of
which are kept: a class is small enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradetape.similar.tokens import TokenStream, stream_of

PHRASE = 16
# A phrase that more submissions have than this, and than this share of them, says nothing about two of them.
_MANY = 8
_MANY_SHARE = 0.2
_BASE = 0x9E3779B97F4A7C15  # any odd number with its bits well mixed


class Phrases(msgspec.Struct, frozen=True):
    """The phrases of a submission by the place of their first token, and which tokens are explained.

    A phrase counts if at least half of its tokens are not explained.
    """

    stream: TokenStream
    digests: NDArray[np.uint64]
    explained: NDArray[np.bool_]

    @property
    def own(self) -> int:
        """How many tokens are not explained."""
        return int((~self.explained).sum())

    @property
    def distinct(self) -> NDArray[np.uint64]:
        """The phrases that count, each once, sorted."""
        before = np.concatenate([[0], np.cumsum(~self.explained)])
        unexplained = before[PHRASE:][: len(self.digests)] - before[: len(self.digests)]
        return np.unique(self.digests[unexplained >= PHRASE // 2])

    def without(self, others: NDArray[np.uint64]) -> Phrases:
        """The same, where these phrases explain tokens too."""
        covered = _covered(np.isin(self.digests, others), len(self.explained))
        return Phrases(self.stream, self.digests, self.explained | covered)

    def shared(self, others: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which tokens are not explained, and in one of these phrases."""
        return _covered(np.isin(self.digests, others), len(self.explained)) & ~self.explained


def _covered(chosen: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Which tokens are in a phrase that is chosen."""
    steps = np.zeros(size + 1, np.int64)
    (places,) = np.nonzero(chosen)
    np.add.at(steps, places, 1)
    np.add.at(steps, places + PHRASE, -1)
    covered: NDArray[np.bool_] = np.cumsum(steps[:-1]) > 0
    return covered


def phrases_of(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The digest of each phrase, in order; none if there are fewer tokens than a phrase has."""
    count = max(0, len(codes) - PHRASE + 1)
    found = np.zeros(count, np.uint64)
    for offset in range(PHRASE):
        found = found * np.uint64(_BASE) + codes[offset : offset + count]
    return found


def given_phrases(texts: Iterable[str]) -> NDArray[np.uint64]:
    """The phrases of texts that everybody was given, with and without names."""
    streams = [stream_of([(1, text)]) for text in texts]
    parts = [phrases_of(codes) for each in streams for codes in (each.codes, each.written)]
    return np.unique(np.concatenate([np.zeros(0, np.uint64), *parts]))


def read(stream: TokenStream, given: NDArray[np.uint64]) -> Phrases:
    """The phrases of a submission; those that were given explain its tokens, as they are or with other names."""
    digests = phrases_of(stream.codes)
    known = np.isin(digests, given) | np.isin(phrases_of(stream.written), given)
    return Phrases(stream, digests, _covered(known, len(stream.codes)))


def common(submissions: Sequence[Phrases]) -> NDArray[np.uint64]:
    """The phrases that so many submissions have that they say nothing about two of them."""
    found, counts = np.unique(np.concatenate([each.distinct for each in submissions]), return_counts=True)
    shared: NDArray[np.uint64] = found[counts > max(_MANY, _MANY_SHARE * len(submissions))]
    return shared
