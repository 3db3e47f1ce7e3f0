"""What is drawn from a course's secret seed: the inputs of a check, and the numbers of a worker.

Each is an HMAC-SHA-256 of the secret seed, so none tells anything about the seed or about another one. A worker gets
the same number before every check: one that differed would tell code in it which of the hidden checks is running.
"""

from __future__ import annotations

import hashlib
import hmac

import numpy as np

_WORDS = 8  # of 32 bits: NumPy would keep 4 of them
_WORKER = "the numbers of a worker"  # not the id of a check, which has colons


def check_rng(secret: str, check_id: str) -> np.random.Generator:
    """The random generator of a check; it depends on the secret seed and the check's id alone."""
    entropy = int.from_bytes(_drawn(secret, check_id), "big")
    return np.random.default_rng(np.random.SeedSequence(entropy, pool_size=_WORDS))


def worker_seed(secret: str) -> int:
    """The number that workers are seeded with, from 0 to 2**32 - 1."""
    return int.from_bytes(_drawn(secret, _WORKER)[:4], "big")


def _drawn(secret: str, label: str) -> bytes:
    return hmac.new(secret.encode(), label.encode(), hashlib.sha256).digest()
