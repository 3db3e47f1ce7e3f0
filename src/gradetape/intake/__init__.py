"""Notebooks, scripts, otter's zips and LMS downloads become submissions: cells as text, without running anything.

`discovery` finds the files and the student of each, `notebooks` reads one file, and `reading` combines the two.
Whatever a file contains, the result is a value: a Submission, or an Unreadable with the reason and the next step.
"""

from gradetape.intake.discovery import passed_over
from gradetape.intake.reading import read, renamed

__all__ = ["passed_over", "read", "renamed"]
