"""The page of the desk on which a person marks a written answer: the answer as text and pictures beside the rubric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gradetape.records import AnswerPart, MarkState, RegradeRequest, RubricItem, WrittenScore
from gradetape.report.actions import Actions
from gradetape.report.html import anchor, page_name, render
from gradetape.report.markdown import formatted, is_plain


class MarkingView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `left` counts the answers to this question that wait, `note` is for instructors only.

    `requests` are the regrade requests about the answer, and `before` and `after` the students to whom p and n lead.
    `version` tells whether the answer and its mark are still those of the page.
    """

    student: str
    title: str
    score: WrittenScore
    rubric: tuple[RubricItem, ...]
    parts: tuple[AnswerPart, ...]
    version: str
    left: int
    note: str = ""
    file: str = ""
    requests: tuple[RegradeRequest, ...] = ()
    before: str | None = None
    after: str | None = None


def marking_page(view: MarkingView, actions: Actions) -> str:
    """The page as HTML. Nothing of the answer is active; its pictures are loaded from the desk by number."""
    score, home = view.score, f"/written/{actions.folder}/{view.score.question.id}"
    again, applied = score.state is MarkState.AGAIN, {item.id for item in score.items}
    named = (("prev", view.before), ("next", view.after))
    return render(
        "marking.html.j2",
        course="",
        title=view.title,
        folder=actions.folder,
        actions=actions,
        question=score.question,
        student=view.student,
        page=page_name(view.student),
        state=score.state.value,
        left=view.left,
        neighbours=[(word, name, f"{home}/{page_name(name)}") for word, name in named if name is not None],
        parts_of_answer=_parts(view.parts, f"{home}/{page_name(view.student)}"),
        note=view.note,
        file=view.file,
        items=[{**msgspec.structs.asdict(item), "applied": item.id in applied} for item in view.rubric],
        nothing=score.state is MarkState.MARKED and not score.items and not score.adjustment,
        adjustment=score.adjustment or "",
        comment=score.comment,
        by=score.by,
        at=score.at,
        again=again,
        version=view.version,
        notes={"notes": {"requests": view.requests, "comments": ()}},
        place=anchor(score.question.id),
    )


def _parts(parts: Sequence[AnswerPart], address: str) -> list[dict[str, Any]]:
    """The parts for the template; a picture is the address that it is loaded from."""
    found, number = [], 0
    for part in parts:
        number += part.kind == "picture"
        where = f"{address}/{number}.png" if part.kind == "picture" else ""
        shown = _shown(part.text) if part.kind == "text" else {}
        found.append({"kind": part.kind, "text": part.text, "number": number, "address": where} | shown)
    return found


def _shown(text: str) -> dict[str, Any]:
    html = formatted(text)
    return {"formatted": html, "plain": is_plain(text, html)}
