"""What is drawn from a course's secret seed: the inputs of a check, and the random numbers of its workers.

Each is an HMAC-SHA-256 of the secret seed, so none tells anything about the seed or about another one. What a worker
gets also depends on the submission: a number that is the same for every submission would tell its code, once it has
been learnt, which of the hidden checks is running.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import numpy as np

from gradetape.records import Cell

_WORDS = 8  # of 32 bits: NumPy would keep 4 of them


def check_rng(secret: str, check_id: str) -> np.random.Generator:
    """The random generator of a check; it depends on the secret seed and the check's id alone."""
    entropy = int.from_bytes(_drawn(secret, check_id), "big")
    return np.random.default_rng(np.random.SeedSequence(entropy, pool_size=_WORDS))


def worker_seed(secret: str, check_id: str, cells: Iterable[Cell]) -> int:
    """What the workers of a check are seeded with, from 0 to 2**32 - 1; it depends on the submission's cells too."""
    sources = (hashlib.sha256(cell.source.encode("utf-8", "surrogatepass")).hexdigest() for cell in cells)
    return int.from_bytes(_drawn(secret, f"a worker of {check_id} with {' '.join(sources)}")[:4], "big")


def _drawn(secret: str, label: str) -> bytes:
    return hmac.new(secret.encode(), label.encode(), hashlib.sha256).digest()
