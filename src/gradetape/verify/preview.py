"""What a student reads whose answer is the starter or a mutant, check by check.

Public checks show the same message in the notebook and on the page; hidden ones show their title and their hint alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from gradetape.course.quotations import with_sentences
from gradetape.report.student import check_view
from gradetape.text import as_points
from gradetape.verify.evidence import Evidence
from gradetape.verify.trials import HELD, Trial

_STYLES = {"good": "green", "bad": "red", "open": "yellow"}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to a question: its points, and the checks as the student's page shows them."""

    question: str
    name: str
    misconception: str
    points: float
    max_points: float
    checks: tuple[dict[str, Any], ...]

    @property
    def failing(self) -> tuple[dict[str, Any], ...]:
        """The checks that it does not pass."""
        return tuple(check for check in self.checks if check["tone"] != "good")


def readings(evidence: Evidence) -> Iterator[Reading]:
    """The starter, question by question, then each mutant."""
    questions = tuple(dict.fromkeys(check.question for check in evidence.checks))
    for trial in evidence.of("starter"):
        yield from (_reading(evidence, trial, question) for question in questions)
    for trial in evidence.of("mutant"):
        if not trial.unloaded:
            yield _reading(evidence, trial, trial.question or "")


def show(evidence: Evidence, console: Console) -> None:
    """Prints every reading; nothing in them is read as markup."""
    for reading in readings(evidence):
        said = f": {reading.misconception}" if reading.misconception else ""
        points = f"{reading.points:g} of {as_points(reading.max_points)}"
        console.print(Text(f"{reading.question}, {reading.name}{said} ({points})", style="bold"))
        for check in reading.checks:
            for line in _lines(check):
                console.print(line)
        console.print()


def _lines(check: dict[str, Any]) -> Iterator[Text]:
    kind = "" if check["public"] else " (hidden)"
    points = f"{check['points']:g} of {check['max_points']:g}"
    head = f"  {check['sign']} {check['title']}{kind}: {check['verdict']}, {points}"
    yield Text(head, style=_STYLES[check["tone"]])
    for label in ("message", "hint"):
        if check[label]:
            lead = "Hint: " if label == "hint" else ""
            yield from (Text(f"      {line}") for line in f"{lead}{check[label]}".splitlines())
    yield from (Text(f'      The question says: "{sentence}"') for sentence in check["sentences"])


def _reading(evidence: Evidence, trial: Trial, question: str) -> Reading:
    requirements = [each for prompt in evidence.prompts if prompt.question == question for each in prompt.requirements]
    results = [with_sentences(result, requirements) for result in trial.results if result.check.question == question]
    return Reading(
        question=question, name=trial.name, misconception=trial.misconception,
        points=sum(result.points for result in results if result.verdict in HELD),
        max_points=sum(result.check.points for result in results), checks=tuple(map(check_view, results)),
    )  # fmt: skip
