"""Puts the pages and the table of grades into a folder: each file is the old one or the new one, never half of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gradetape import scratch
from gradetape.errors import GradebookError
from gradetape.records import Grade, Standing, Unreadable
from gradetape.report.pages import index_page, page_name, student_page, unreadable_page
from gradetape.report.tables import grades_csv

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space and run the command again.",
    errno.EDQUOT: "Your share of the disk is used up: free some space and run the command again.",
    errno.EACCES: "You may not write there: choose another folder with --out.",
    errno.EPERM: "You may not write there: choose another folder with --out.",
    errno.EROFS: "That disk is read-only: choose another folder with --out.",
}


def write(
    folder: str | Path,
    grades: Sequence[Grade],
    unreadable: Sequence[Unreadable],
    *,
    assignment: str,
    title: str = "",
    max_points: float,
    standings: Mapping[str, Standing] | None = None,
) -> Path:
    """Write grades.csv, a page per student and, last, index.html, which is returned.

    `max_points` is the assignment's, for those who have no grade; `standings` say what counts, by student.

    Raises GradebookError if the folder cannot be made or written.
    """
    folder = Path(folder)
    files = {page_name(grade.student): student_page(grade, title=title) for grade in grades}
    files |= {page_name(entry.student): unreadable_page(entry, assignment, title=title) for entry in unreadable}
    files["grades.csv"] = grades_csv(grades, unreadable, max_points=max_points, standings=standings)
    files["index.html"] = index_page(grades, unreadable, assignment=assignment, title=title)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with scratch.folder(".pages-", folder) as half:
            for name, content in files.items():
                (half / name).write_text(content, encoding="utf-8", newline="")
                os.replace(half / name, folder / name)
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "Check that it is a folder that you may write to, or use --out.")
        raise GradebookError(f"The results cannot be written to {folder}: {error.strerror}. {advice}") from error
    return folder / "index.html"
