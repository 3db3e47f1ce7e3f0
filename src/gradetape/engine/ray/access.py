"""Tries to reach a Ray cluster: `python -m gradetape.engine.ray.access ADDRESS` prints what it met.

A process of its own, because Ray reads its token once in a process, and ends the process if it does not like what it
meets.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from ray._raylet import GcsClient
from ray.exceptions import AuthenticationError

ADMITTED, REFUSED, UNKNOWN = "admitted", "refused", "unknown"
_PATIENCE_S = 30.0


def as_stranger(address: str) -> str:
    """What somebody without a token meets at an address."""
    with tempfile.TemporaryDirectory() as home:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return _tried(address, kept | {"RAY_AUTH_MODE": "disabled", "HOME": home})


def with_token(address: str) -> str:
    """What this process meets with its token."""
    return _tried(address, dict(os.environ) | {"RAY_AUTH_MODE": "token"})


def _tried(address: str, variables: dict[str, str]) -> str:
    command = [sys.executable, "-m", "gradetape.engine.ray.access", address]
    try:
        run = subprocess.run(
            command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return UNKNOWN
    return run.stdout.strip() or UNKNOWN


def main() -> None:
    """Prints one word."""
    try:
        GcsClient(address=sys.argv[1])
    except AuthenticationError:
        print(REFUSED)
    except Exception:
        print(UNKNOWN)
    else:
        print(ADMITTED)


if __name__ == "__main__":
    main()
