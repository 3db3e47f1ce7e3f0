"""The page of a trial: who would gain or lose with the checks as they are now. For staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradetape.records import CheckResult, TrialResult
from gradetape.report import words
from gradetape.report.html import page_name, render


def trial_page(
    what: str, tried: Sequence[TrialResult], *, of: int, running: bool, back: str, folder: str, problem: str = ""
) -> str:
    """A trial of `what` over `of` students, those that gain or lose first; while it runs, the page loads itself again.

    `back` is the address of the page from which it was started, `folder` the assignment's folder name.
    """
    order = sorted(tried, key=lambda each: (each.gain == 0, -abs(each.gain)))
    return render(
        "trial.html.j2",
        course="",
        what=what,
        rows=[_row(each, folder) for each in order],
        done=len(tried),
        of=of,
        gain=sum(each.gain > 0 for each in tried),
        lose=sum(each.gain < 0 for each in tried),
        running=running,
        back=back,
        problem=problem,
    )


def _row(each: TrialResult, folder: str) -> dict[str, Any]:
    before = {result.check.id: result for result in each.before}
    after, now = each.points
    return {
        "student": each.student,
        "page": f"/staff/{folder}/{page_name(each.student)}",
        "before": after,
        "now": now,
        "lost": each.lost,
        "gain": each.gain,
        "results": [_result(result, before.get(result.check.id)) for result in each.now],
    }


def _result(result: CheckResult, before: CheckResult | None) -> dict[str, Any]:
    tone = words.tone(result.verdict)
    return {
        "title": result.check.title or result.check.name,
        "before": before.verdict.value if before else "",
        "verdict": result.verdict.value,
        "tone": tone,
        "sign": words.SIGNS[tone],
        "message": result.staff_message or result.message,
        "seconds": result.seconds,
    }
