"""A digest of texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def digest_of(parts: Iterable[str]) -> str:
    """The digest of several texts, in their order; it tells where one ends and the next begins."""
    return digest_of_joined([joined(parts)])


def joined(parts: Iterable[str]) -> str:
    """Several texts as `digest_of_joined` takes them: those that stay the same need to be joined only once."""
    return "\0".join([f"{len(part)}:{part}" for part in parts])


def digest_of_joined(parts: Iterable[str]) -> str:
    """The digest of texts that are joined already: that of all of them by `digest_of`."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
