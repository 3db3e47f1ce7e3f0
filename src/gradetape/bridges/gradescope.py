"""What Gradescope runs: `python -m gradetape.bridges.gradescope COURSE SUBMISSION RESULTS`.

It grades the files of the folder SUBMISSION and writes RESULTS, whatever happens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gradetape.bridges.judging import graded
from gradetape.bridges.results import document
from gradetape.engine import OpenEngine, open_engine
from gradetape.records import Grade, Unreadable


def main(course: Path, submission: Path, results: Path, open_engine: OpenEngine = open_engine) -> None:
    """Grades a submission into a `results.json`."""
    try:
        files = sorted(submission.iterdir())
        outcome: Grade | Unreadable | Exception = graded(course, files, open_engine)
    except Exception as error:
        outcome = error
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(document(outcome), indent=2), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
