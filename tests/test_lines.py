"""Every message on the terminal is one line, whatever the texts of students in it hold."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from gradetape.cli import cli
from gradetape.cli.lines import complain, line, say, warn
from gradetape.cli.progress_display import ProgressDisplay
from gradetape.errors import GradebookError
from gradetape.grading.batch import Batch
from gradetape.grading.events import SubmissionLost, SubmissionReplaced, SubmissionRetried, Warned
from gradetape.grading.run import GradeReport
from gradetape.records import CellEvent, FinalScore, Unreadable, Verdict
from gradetape.remote.loader import LoadReport
from gradetape.report.terminal import student_view
from tests.books import recorded
from tests.factories import a_grade, a_result

CLI = Path(cli.callback.__code__.co_filename).parent  # type: ignore[union-attr]
FORGED = "needs attention: bob: copied from alice"
BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x1b[1E", "\x1b[2K\x1b[1G")
EVIL = "".join(f"x{each}{FORGED}" for each in BREAKS)


def _lines(text: str) -> list[str]:
    """As every terminal and every program that reads lines may split them."""
    for each in BREAKS:
        text = text.replace(each, "\n")
    return text.splitlines()


def _forged(text: str) -> list[str]:
    return [each for each in _lines(text) if each.startswith(FORGED)]


def test_what_is_printed_passes_through_one_place() -> None:
    """CSV for other programs is the one exception; JSON has no line breaks in its texts."""
    found = set()
    for file in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.echo", "click.secho", "print"):
                found.add(file.name)
    assert found == {"lines.py", "export.py"}


def test_a_message_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    warn([EVIL, ""])
    say(EVIL)
    complain(GradebookError("one\ntwo"))
    told = capsys.readouterr()
    assert _forged(told.err) == _forged(told.out) == []
    assert told.err.splitlines()[1:] == ["gradetape: one", "two"] and len(told.out.splitlines()) == 1
    assert line("plain text: unchanged") == "plain text: unchanged"


def test_the_summary_of_a_batch_has_a_line_for_each_message() -> None:
    grade = a_grade(EVIL, review=(EVIL,), attention=(EVIL,))
    entry = Unreadable(student="x", file=EVIL, sha256="", reason=EVIL)
    messages = GradeReport(Batch([grade], [entry]), Path("index.html")).messages
    assert len(messages) == 5 and all(len(_lines(each)) == 1 for each in messages)


def test_progress_has_a_line_for_each_event(capsys: pytest.CaptureFixture[str]) -> None:
    shown = ProgressDisplay()
    shown._console = Console(soft_wrap=True)
    events = [SubmissionRetried(EVIL, EVIL), SubmissionReplaced(EVIL), SubmissionLost(EVIL, EVIL), Warned(EVIL)]
    for event in events:
        shown(event)
    told = capsys.readouterr().out
    assert _forged(told) == [] and len(told.splitlines()) == len(events)


@pytest.mark.parametrize("staff", [True, False])
def test_in_a_students_result_texts_of_several_lines_are_indented(staff: bool) -> None:
    result = a_result(verdict=Verdict.ERROR, message=EVIL, staff_message=EVIL, command=EVIL)
    grade = a_grade(
        EVIL, result, review=(EVIL,), attention=(EVIL,), notes=(EVIL,), file=EVIL,
        events=(CellEvent(cell=0, kind="error", text=EVIL, question="q01"),),
    )  # fmt: skip
    console = Console(width=10_000, record=True, file=io.StringIO())
    console.print(student_view(grade, FinalScore(measured=1.0, final=1.0, lines=(EVIL,)), staff=staff))
    assert _forged(console.export_text()) == []


def test_review_texts_are_one_line_wherever_they_are_kept() -> None:
    report = LoadReport()
    report.set_review([EVIL])
    (kept,) = report.review
    assert len(_lines(kept)) == 1


def test_show_and_override_print_no_line_of_a_submission(tmp_path: Path) -> None:
    root = recorded(tmp_path, a_grade("alice", review=(EVIL,), attention=(EVIL,), assignment="tiny"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        told = CliRunner().invoke(cli, ["show", "alice", "--staff"]).output
        told += CliRunner().invoke(cli, ["override", "alice", "q01", "1", "--reason", EVIL, "--by", "me"]).output
        told += CliRunner().invoke(cli, ["override", "--list"]).output
    assert "For review: " in told and _forged(told) == []
