"""The terminal view of one student's result. It imports rich, so import it only where it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from rich.console import Group, RenderableType
from rich.text import Text

from gradetape.records import CheckResult, FinalScore, Grade, Status, Unreadable, Verdict
from gradetape.report import words
from gradetape.text import one_line, printable

_STYLES = {Verdict.PASSED: "green", Verdict.SKIPPED: "yellow", Verdict.FAULT: "yellow"}


def student_view(record: Grade | Unreadable, final_score: FinalScore, *, staff: bool) -> RenderableType:
    """The part of a result that the student may see, or with `staff` all of it; no text is read as markup."""
    shown = _unreadable(record, staff) if isinstance(record, Unreadable) else _graded(record, staff)
    return Group(*shown, *_final_score(final_score, staff))


def _unreadable(entry: Unreadable, staff: bool) -> Iterator[RenderableType]:
    file, reason = (entry.file, entry.reason) if staff else (words.file_name(entry), words.reason(entry))
    yield _line(entry.student, "bold")
    yield _line(f"{one_line(file)} could not be read: {reason}", "red")


def _final_score(final_score: FinalScore, staff: bool) -> Iterator[RenderableType]:
    """The final score and how it follows from the measured points, if it differs from them."""
    if final_score.lines:
        yield Text()
        yield from map(_line, final_score.lines)
    if staff:
        yield from (
            _line(f"{each.question} overridden by {each.by} at {each.at}", "dim") for each in final_score.overrides
        )
    if final_score.final != final_score.measured:
        yield _line(f"Final score: {final_score.final:g} points", "bold")


def _graded(grade: Grade, staff: bool) -> Iterator[RenderableType]:
    yield _line(f"{grade.student}: {grade.points:g} of {grade.max_points:g} points in {grade.assignment}", "bold")
    if grade.status is Status.NEEDS_ATTENTION:
        yield _line("This result is not final: staff must review it.", "yellow")
    if staff:
        yield from (_line(reason, "yellow") for reason in grade.reasons)
        yield from (_line(f"For review: {reason}", "yellow") for reason in grade.review)
        file, where = one_line(grade.file), ", ".join(grade.devices) or "the CPU"
        if bases := words.bases(grade):
            yield _line(f"Its points rest {bases}.", "dim")
        yield _line(f"{file}, graded on {where} under {grade.isolation} ({', '.join(grade.layers)})", "dim")
    for question in grade.questions:
        yield Text()
        title = question.title or question.id
        yield _line(f"{title}: {grade.earned(question.id):g} of {question.points:g}", "bold")
        yield from (
            _line(f"  Code cell {event['cell']} {event['what']}: {_last_line(event['text'])}", "yellow")
            for event in words.failures(grade, question.id)
        )
        for result in grade.of(question.id):
            yield from _result(result, staff)
    yield from _cells(grade)
    yield from (_line(note, "dim") for note in grade.notes)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _cells(grade: Grade) -> Iterator[RenderableType]:
    """The events of the cells, which often explain why checks did not pass."""
    for event in words.events(grade):
        of = f" ({event['question']})" if event["question"] else ""
        yield Text()
        yield _line(f"Code cell {event['cell']}{of} {event['what']}.", "bold")
        yield Text(indent(printable(event["text"]), " " * 4))


def _result(result: CheckResult, staff: bool) -> Iterator[RenderableType]:
    check = result.check
    line = Text("  ").append(f"{result.verdict.value:8}", _STYLES.get(result.verdict, "red"))
    line.append(f" {result.points:g}/{check.points:g}  ").append(one_line(check.title or "A check"))
    yield line
    yield from (Text(indent(printable(text), " " * 4), style) for text, style in _details(result, staff) if text)


def _details(result: CheckResult, staff: bool) -> Iterator[tuple[str, str]]:
    """A hidden check's name and messages are for staff: they could reveal its inputs."""
    check = result.check
    passed = result.verdict is Verdict.PASSED
    yield "" if passed else check.hint, "italic"
    yield result.message if check.public or staff else "", ""
    if not passed:
        yield from ((f'The question says: "{sentence}"', "dim") for sentence in result.sentences)
    if staff:
        yield check.id, "dim"
        yield result.staff_message, "dim"
        yield result.command, "dim"


def _line(text: str, style: str = "") -> Text:
    return Text(one_line(text), style)
