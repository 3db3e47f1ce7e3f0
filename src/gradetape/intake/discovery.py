"""Finds the files that are submissions, and the student of each.

A *layout* (`layouts/`) is how a platform names what it holds; it is recognised on the whole folder. Whatever the
layout, one file of each person is graded: of the latest attempt a notebook or zip rather than a script, and a notebook
that declares the assignment rather than one that declares none. If there are other files to choose from, none is
graded.

A file of another kind is reported as unreadable if it is named as the LMS names the submissions beside it; so is a
folder without submissions if the folders beside it hold some. Other files, such as a README or data, are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gradetape.files import link_in
from gradetape.intake import layouts
from gradetape.intake.found import Clues, is_folder, listed
from gradetape.intake.layouts import Found


def find(paths: Iterable[Path], clues: Clues, layout: str | None = None) -> Found:
    """Every submission under the paths, each file once for each person."""
    return layouts.find(list(paths), clues, layout)


def passed_over(root: Path, used: Iterable[Path]) -> list[Path]:
    """The entries of a folder that are not submissions and do not contain any; `used` are the submissions."""
    try:
        entries = listed(root) if is_folder(root) and not link_in(root) else []
    except OSError:
        return []
    known = {path for each in used for path in (each, *each.parents)}
    return [entry for entry in entries if entry not in known]
