"""A digest of gradetape's own code that decides results: it has to be the same wherever a batch is judged."""

from __future__ import annotations

from pathlib import Path

import gradetape
from gradetape.course.digests import digest_of

# The packages whose code runs a check, in the judge and in the workers, and the records that they exchange.
_RUNNING = (
    "checks", "engine", "judge", "records/grades.py", "records/jobs.py", "records/submissions.py", "remote", "runtime",
    "sandbox", "wire", "worker",
)  # fmt: skip


def own_code() -> str:
    """A digest of gradetape's code that runs checks."""
    return digest_of(path.read_text(encoding="utf-8") for path in deciding_files())


def deciding_files() -> list[Path]:
    """The files of that code."""
    root = Path(gradetape.__file__).parent
    found = {path for name in _RUNNING for path in (root / name, *(root / name).rglob("*.py"))}
    return sorted(path for path in found if path.is_file())
