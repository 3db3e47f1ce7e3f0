"""The page for authors: which checks prove each requirement, which mutants break it, and what a student reads then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradetape.course.assignments import Assignment
from gradetape.records import Check, Question
from gradetape.report.html import render
from gradetape.verify.coverage import Prompt, showing
from gradetape.verify.preview import Reading, readings
from gradetape.verify.proof import Proof

FORMATS = (".html", ".md")
NOTICE = "this page shows parts of the answer key"


def page(proof: Proof, assignment: Assignment, *, course: str, root: Path, suffix: str) -> str:
    """The page of a proof, as HTML or Markdown. It holds parts of the answer key: it is not for students.

    `root` is the course's folder: the page names files below it.
    """
    found = list(readings(proof))
    prompts = {prompt.question: prompt for prompt in proof.prompts}
    return render(
        f"proof{suffix}.j2",
        course=course,
        title=assignment.title,
        ok=proof.ok,
        problems=[problem.replace(f"{root}/", "") for problem in proof.problems],
        notes=[note.replace(f"{root}/", "") for note in proof.notes],
        questions=[
            _question(proof, question, prompts[question.id], found)
            for question in assignment.questions
            if question.id in prompts
        ],
    )


def _question(proof: Proof, question: Question, prompt: Prompt, found: list[Reading]) -> dict[str, Any]:
    checks = [check for check in proof.checks if check.question == question.id]
    mutants = [trial for trial in proof.of("mutant") if trial.question == question.id]
    killed, seconds = proof.killed_by, proof.seconds
    return {
        "id": question.id,
        "title": question.title,
        "points": question.points,
        "prompt": prompt.path,
        "requirements": [
            {
                "id": requirement.id,
                "text": requirement.text,
                "checks": [_check(check) for check in checks if requirement.id in check.requirements],
                "mutants": [
                    trial.name
                    for trial in showing(
                        requirement.id, [each.id for each in checks if requirement.id in each.requirements], mutants
                    )
                ],
            }
            for requirement in prompt.requirements
        ],
        "checks": [
            {**_check(check), "mutants": killed[check.id], "seconds": f"{seconds.get(check.id, 0):.2f}"}
            for check in checks
        ],
        "readings": [reading for reading in found if reading.question == question.id],
    }


def _check(check: Check) -> dict[str, Any]:
    return {"name": check.short_id, "title": check.title, "points": check.points}
