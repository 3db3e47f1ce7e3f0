"""Notebooks, scripts, otter's zips and LMS downloads become submissions: cells as text, without running anything.

`layouts` recognises the platform, `discovery` finds the files and the student of each, `choosing` takes the one that
counts, `notebooks` reads a file, and `reading` combines them.
Whatever a file contains, the result is a value: a Submission, or an Unreadable with the reason and the next step.
"""

from gradetape.intake.layouts.registry import LAYOUT_NAMES
from gradetape.intake.layouts.times import aware, english
from gradetape.intake.reading import Intake, read, renamed, take_in
from gradetape.intake.unpacking import is_in_zip, zip_of

__all__ = ["LAYOUT_NAMES", "Intake", "aware", "english", "is_in_zip", "read", "renamed", "take_in", "zip_of"]
