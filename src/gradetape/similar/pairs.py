"""Who shares the most phrases with whom, rare ones before frequent ones, and in which lines."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradetape.records import Grade
from gradetape.similar.phrases import PHRASE, Phrases, common, given_phrases, read
from gradetape.similar.tokens import stream_of

_CANDIDATES = 4


class Given(msgspec.Struct, frozen=True):
    """What everybody was given, as texts: it explains what two submissions share."""

    texts: tuple[str, ...] = ()


class SimilarSide(msgspec.Struct, frozen=True, kw_only=True):
    """One submission of a pair.

    `share` is the part of its own tokens, from 0 to 1, that the other has too; `own` is how many are its own, and
    `lines` has the lines with shared tokens by the number of the code cell; both count from 1.
    """

    student: str
    share: float
    own: int
    lines: Mapping[int, tuple[int, ...]]


class SimilarPair(msgspec.Struct, frozen=True, kw_only=True):
    """Two submissions that share `tokens` tokens; `weight` is higher the more they share that few others have.

    `questions` are the ids of those that the shared cells answer.
    """

    sides: tuple[SimilarSide, SimilarSide]
    tokens: int
    weight: float
    questions: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The larger one of the two shares."""
        return max(side.share for side in self.sides)


class _Candidate(NamedTuple):
    weight: float
    first: int
    second: int


def similar_pairs(
    grades: Sequence[Grade], given: Given, *, question: str | None = None, at_least: float = 0.0, most: int = 50
) -> list[SimilarPair]:
    """The pairs of submissions that share the most, by weight; nothing in them is run.

    With `question` only the cells that answer it are read. `at_least` is the smallest share, from 0 to 1, that one of
    the two must have, and `most` the greatest number of pairs.
    """
    known = given_phrases(given.texts)
    found = [read(stream_of(_cells(grade, question)), known) for grade in grades]
    if len(found) > 1:
        many = common(found)
        found = [each.without(many) for each in found]
    pairs = (
        _pair((grades[each.first], grades[each.second]), (found[each.first], found[each.second]), each.weight)
        for each in _candidates([each.distinct for each in found], _CANDIDATES * most)
    )  # fmt: skip
    return [each for each in pairs if each.share >= at_least and each.tokens >= PHRASE][:most]


def _cells(grade: Grade, question: str | None) -> Iterator[tuple[int, str]]:
    cells = enumerate(grade.cells, 1)
    return ((number, cell.source) for number, cell in cells if question in (None, cell.question))


def _candidates(phrases: Sequence[NDArray[np.uint64]], most: int) -> list[_Candidate]:
    """The pairs with the highest weights: the sum over their phrases of the logarithm of how rare each is."""
    sizes = [len(each) for each in phrases]
    owners = np.repeat(np.arange(len(phrases), dtype=np.int32), sizes)
    _, numbers, counts = np.unique(
        np.concatenate([np.zeros(0, np.uint64), *phrases]), return_inverse=True, return_counts=True
    )
    weights = np.log2(1 + len(phrases) / np.maximum(counts, 1))
    holders = owners[np.argsort(numbers, kind="stable")]
    begins = np.concatenate([[0], np.cumsum(counts)])
    best = list[_Candidate]()
    for first, own in enumerate(np.split(numbers, np.cumsum(sizes)[:-1])):
        sums = _sums(own[counts[own] > 1], begins, holders, weights, len(phrases))
        sums[: first + 1] = 0
        top = np.argsort(-sums, kind="stable")[:most]
        best = heapq.nsmallest(most, (*best, *_weighed(first, top, sums)), key=lambda each: (-each.weight, *each[1:]))
    return best


def _weighed(first: int, others: Iterable[int], sums: NDArray[np.float64]) -> Iterator[_Candidate]:
    return (_Candidate(float(sums[other]), first, int(other)) for other in others if sums[other] > 0)


def _sums(
    own: NDArray[np.intp], begins: NDArray[np.intp], holders: NDArray[np.int32], weights: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """The weights of phrases, added up for each submission that has them."""
    lengths = begins[own + 1] - begins[own]
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    places = np.arange(total) + np.repeat(begins[own] - (ends - lengths), lengths)
    sums: NDArray[np.float64] = np.bincount(holders[places], np.repeat(weights[own], lengths), size).astype(np.float64)
    return sums


def _pair(grades: tuple[Grade, Grade], found: tuple[Phrases, Phrases], weight: float) -> SimilarPair:
    both = np.intersect1d(found[0].distinct, found[1].distinct)
    marks = tuple(each.shared(both) for each in found)
    first, second = (
        _side(grade.student, each, mark) for grade, each, mark in zip(grades, found, marks, strict=True)
    )  # fmt: skip
    tokens = min(int(mark.sum()) for mark in marks)
    return SimilarPair(
        sides=(first, second), tokens=tokens, weight=round(weight, 1),
        questions=tuple(_questions(zip(grades, (first, second), strict=True))),
    )  # fmt: skip


def _questions(sides: Iterable[tuple[Grade, SimilarSide]]) -> list[str]:
    """The questions that cells with shared lines answer, in the order of the grades."""
    cells = [(grade, grade.cells[number - 1]) for grade, side in sides for number in side.lines]
    shared = {cell.question for _, cell in cells if cell.question}
    order = dict.fromkeys(question.id for grade, _ in cells for question in grade.questions)
    return [*(each for each in order if each in shared), *sorted(shared.difference(order))]


def _side(student: str, phrases: Phrases, marked: NDArray[np.bool_]) -> SimilarSide:
    own, lines = phrases.own, dict[int, list[int]]()
    places = zip(phrases.stream.cells[marked].tolist(), phrases.stream.lines[marked].tolist(), strict=True)
    for cell, line in dict.fromkeys(places):
        lines.setdefault(cell, []).append(line)
    share = float(marked.sum()) / own if own else 0.0
    return SimilarSide(
        student=student, share=round(share, 4), own=own, lines={cell: tuple(each) for cell, each in lines.items()}
    )
