"""The names that platforms give, as patterns. No two match one name."""

from __future__ import annotations

import re

from gradetape.records import MOODLE_USER

# Two numbers that look like a year and a month are not ids of Canvas.
CANVAS = re.compile(
    r"(?P<name>[^_]+)(?P<late>_LATE)?_(?!\d{4}_\d\d?_)(?P<id>\d+)_(?P<attempt>\d{1,18})_(?P<title>.+?)(-\d{1,3})?"
)
CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?anon_(?P<later>LATE_)?(?P<id>[A-Za-z0-9]{4,8})_(?P<attempt>\d{1,18})_(?P<title>.+?)(-\d{1,3})?"
)
CANVAS_TEXT = re.compile(r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<id>\d+)_(?P<kind>text|link)")
CANVAS_ANONYMOUS_TEXT = re.compile(
    r"(?P<late>LATE_)?anon_(?P<later>LATE_)?(?P<id>[A-Za-z0-9]{4,8})_(?P<kind>text|link)"
)
# A student names the file: what the platform wrote comes first, and nothing after it counts.
MOODLE = re.compile(rf"(?P<name>[^_]+)_(?P<id>(?:{MOODLE_USER})?\d+)_assignsubmission_(?P<kind>[a-z]+)_?.*", re.DOTALL)
GRADESCOPE = re.compile(r"submission_\d+")
GRADESCOPE_FILE = "submission_metadata.yml"
BLACKBOARD = re.compile(r"(?P<who>.+?)_attempt_(?P<time>\d{4}(-\d\d){5})(?P<file>_.+|\.txt)", re.DOTALL)
BRIGHTSPACE = re.compile(
    r"(?P<id>\d+)-(?P<folder>\d+) - (?P<name>.+?) ?- (?P<time>[^-]*\b\d{3,4}(?: ?[AP]M)?)(?: - (?P<file>.+))?",
    re.DOTALL,
)
EXCHANGE = re.compile(
    r"(?P<id>[^+]+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d \d\d[:_]\d\d[:_]\d\d(?:\.\d+)? ?[A-Za-z0-9:+-]*?)"
    r"(?:\+[^+]*)?"
)

NBGRADER_SUBMITTED, NBGRADER_INBOUND = "submitted", "inbound"
NBGRADER_STAMP = "timestamp.txt"

_OF_FOLDERS = (MOODLE, GRADESCOPE, BRIGHTSPACE, EXCHANGE)
_OF_FILES = (CANVAS, CANVAS_ANONYMOUS, MOODLE, BLACKBOARD, BRIGHTSPACE)
# Names that teachers give to work, not people: `hw1`, `homework-2`, `week_3`.
WORK = re.compile(
    r"(hw|homework|assignment|assign|lab|exercise|ex|project|proj|pset|ps|problem-?set|sheet|week|quiz|midterm|final)"
    r"[-_ ]?\d*",
    re.IGNORECASE,
)


def names_a_platform(name: str, *, folder: bool) -> bool:
    """Whether an explicit layout has given this name."""
    if folder and name in (NBGRADER_SUBMITTED, NBGRADER_INBOUND):
        return True
    return any(pattern.fullmatch(name) for pattern in (_OF_FOLDERS if folder else _OF_FILES))
