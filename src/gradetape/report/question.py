"""A question's page for staff: failures that are alike, the biggest group first, and checks by students."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradetape.records import Check, CheckResult, FinalScore, Grade, MixedQuestion, Override, Question, Status
from gradetape.report import code, words
from gradetape.report.actions import Actions
from gradetape.report.analysis import ENOUGH, CheckItem, check_items, question_items
from gradetape.report.html import anchor, page_name, render, slug
from gradetape.report.likeness import FailureGroup, groups_of
from gradetape.report.material import NO_MATERIAL, Material
from gradetape.text import as_points, collation_key

_FEW = 10


def question_page(
    question: Question, grades: Sequence[Grade], *, assignment: str, course: str = "", title: str = "",
    final_scores: Mapping[str, FinalScore] | None = None, material: Material = NO_MATERIAL,
    mixed: Sequence[MixedQuestion] = (), actions: Actions | None = None,
) -> str:  # fmt: skip
    """One question over all students as HTML, including the values in hidden checks.

    `final_scores` are by student, `material` is what of the course is shown beside results, and `mixed` are the
    assignment's questions that were judged under two versions. The page belongs into the folder `questions` beside the
    students' pages for staff. `actions` are what its forms need, if it has any.
    """
    scores, having = final_scores or {}, [grade for grade in grades if grade.has(question.id)]
    having.sort(key=lambda grade: collation_key(grade.student))
    answered = answering(question, having, material)
    answers = {grade.student for grade in answered}
    untouched = [grade.student for grade in having if grade.student not in answers]
    items = check_items(grades, question.id)
    (item,) = question_items(grades, [question], scores)
    groups = groups_of(answered, question.id)
    return render(
        "question.html.j2",
        course=course,
        title=title or assignment,
        assignment=assignment,
        question=question,
        item=item,
        students=len(having),
        left_out=len(grades) - len(having),
        mixed=_mixed(question, mixed),
        unfinal=sum(grade.status is not Status.GRADED for grade in having),
        untouched=[(student, f"../{page_name(student)}") for student in untouched],
        groups=[_group(group, anchor(question.id), material, scores) for group in groups],
        checks=[_check(item, number, material) for number, item in enumerate(items, 1)],
        rows=[
            _row(
                grade, question, [each.check for each in items], scores.get(grade.student), grade.student not in answers
            )
            for grade in having
        ],
        anchor=anchor(question.id),
        few=_FEW,
        enough=ENOUGH,
        actions=actions,
        page=question_page_name(question),
    )


def _mixed(question: Question, mixed: Sequence[MixedQuestion]) -> list[tuple[MixedQuestion, list[tuple[str, str]]]]:
    """Those of this question, each with its students and the addresses of their answers."""
    return [
        (each, [(student, f"../{page_name(student)}#{anchor(question.id)}") for student in each.students])
        for each in mixed
        if each.question == question.id
    ]


def answering(question: Question, grades: Sequence[Grade], material: Material) -> list[Grade]:
    """The grades of those who have not left a question untouched, in the order of a list of people."""
    having = (grade for grade in grades if grade.has(question.id) and not material.is_untouched(grade, question))
    return sorted(having, key=lambda grade: collation_key(grade.student))


def question_page_name(question: Question) -> str:
    """The file name of a question's page."""
    return question_page_name_of(question.id)


def question_page_name_of(question_id: str) -> str:
    """The same by the question's id."""
    return f"{slug(question_id)}.html"


def check_anchor(number: int) -> str:
    """The anchor of the question's check with this number, from 1, on the question's page."""
    return f"c{number}"


def _group(
    group: FailureGroup, at: str, material: Material, scores: Mapping[str, FinalScore]
) -> dict[str, Any]:  # fmt: skip
    tone = words.tone(group.verdict)
    return {
        "check": group.check,
        "verdict": group.verdict.value,
        "tone": tone,
        "sign": words.SIGNS[tone],
        "place": group.place,
        "fields": {"question": question_page_name_of(group.check.question), "group": group.digest},
        "message": group.example.staff_message or group.example.message,
        "command": group.example.command,
        "students": [(student, f"../{page_name(student)}#{at}") for student in group.students],
        "set_by_hand": _set_by_hand(group, at, scores),
        **code.of_check(material.source_of(group.check)),
    }


def _set_by_hand(
    group: FailureGroup, at: str, scores: Mapping[str, FinalScore]
) -> list[tuple[Override, list[tuple[str, str]]]]:  # fmt: skip
    """The points that were given for the check by hand, each with its students and the addresses of their answers."""
    found: dict[tuple[str, float, str], tuple[Override, list[tuple[str, str]]]] = {}
    for student in group.students:
        if override := words.check_override_of(scores.get(student), group.check):
            key = (override.by, override.points, override.reason)
            found.setdefault(key, (override, []))[1].append((student, f"../{page_name(student)}#{at}"))
    return list(found.values())


def _check(item: CheckItem, number: int, material: Material) -> dict[str, Any]:
    return {"item": item, "anchor": check_anchor(number), **code.of_check(material.source_of(item.check))}


def _row(
    grade: Grade, question: Question, checks: Sequence[Check], final_score: FinalScore | None, untouched: bool
) -> dict[str, Any]:
    results = {result.check.id: result for result in grade.of(question.id)}
    return {
        "student": grade.student,
        "page": f"../{page_name(grade.student)}",
        "points": words.points_of(grade, final_score, question.id),
        "untouched": untouched,
        "cells": [_cell(results.get(check.id), words.check_override_of(final_score, check)) for check in checks],
    }


def _cell(result: CheckResult | None, override: Override | None) -> dict[str, Any]:
    """The tone, the sign and the words for a result, its place in a sorted column, and the points set by hand."""
    if result is None:
        return {"tone": "", "sign": "", "words": "", "place": -1, "override": None}
    tone = words.tone(result.verdict)
    by_hand = f"; {override.by} set {as_points(override.points)}: {override.reason}" if override else ""
    return {
        "tone": tone,
        "sign": words.SIGNS[tone],
        "words": f"{result.verdict.value}{by_hand}",
        "place": ("bad", "open", "good").index(tone),
        "override": override,
    }
