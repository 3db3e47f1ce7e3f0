"""Errors that TensorFlow raises only since its operations are deterministic here, as they are not in a notebook."""

from __future__ import annotations

import re

_ONLY_HERE = re.compile(
    r"determinism (?:is|was|has been) enabled|deterministic(?: \w+)? implementation|deterministic ops are enabled",
    re.IGNORECASE,
)


def needs_none(text: str) -> bool:
    """Whether an error says that an operation cannot run as long as operations are deterministic."""
    return _ONLY_HERE.search(text) is not None
