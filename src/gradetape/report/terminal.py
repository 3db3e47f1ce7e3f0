"""The terminal view of one student's result. It imports rich, so import it only where it is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from textwrap import indent

from rich.console import Group, RenderableType
from rich.text import Text

from gradetape.records import CheckResult, FinalScore, Grade, Override, Question, Status, Unreadable, Verdict
from gradetape.report import words
from gradetape.report.material import NO_MATERIAL, Material
from gradetape.report.notes import NO_STUDENT_NOTES, StudentNotes
from gradetape.text import as_points, one_line, printable

_STYLES = {Verdict.PASSED: "green", Verdict.SKIPPED: "yellow", Verdict.FAULT: "yellow"}


def student_view(
    record: Grade | Unreadable, final_score: FinalScore, *, staff: bool, question: str | None = None,
    material: Material = NO_MATERIAL, notes: StudentNotes = NO_STUDENT_NOTES,
) -> RenderableType:  # fmt: skip
    """The part of a result that the student may see, or with `staff` all of it; no text is read as markup.

    With `question`, an id, only that question is shown; it is nothing if the grade does not have it. For staff, a
    question that was left untouched, as far as `material` tells, is one line unless it is asked for. `notes` is what
    was written about the answers.
    """
    if isinstance(record, Unreadable):
        about = (line for each in notes.questions() for line in _notes(notes, each, staff))
        return Group(*_unreadable(record, staff), *_final_score(final_score, staff), *about)
    if question not in (None, *(each.id for each in (*record.questions, *_written_questions(final_score)))):
        return Group()
    untouched = {each.id for each in record.questions if staff and not question and material.is_untouched(record, each)}
    return Group(*_graded(record, final_score, staff, question, untouched, notes))


def _unreadable(entry: Unreadable, staff: bool) -> Iterator[RenderableType]:
    file, reason = (entry.file, entry.reason) if staff else (words.file_name(entry), words.reason(entry))
    yield _line(entry.student, "bold")
    yield _line(f"{one_line(file)} could not be read: {reason}", "red")


def _final_score(final_score: FinalScore, staff: bool) -> Iterator[RenderableType]:
    """The final score, if it differs from the measured points, and how it follows from them."""
    if final_score.final != final_score.measured:
        yield _line(f"Final score: {as_points(final_score.final)}", "bold")
    yield from map(_line, final_score.lines)
    if staff:
        yield from (
            _line(f"{each.question} overridden by {each.by} at {each.at}", "dim") for each in final_score.overrides
        )


def _graded(
    grade: Grade, final_score: FinalScore, staff: bool, question: str | None, untouched: Collection[str],
    notes: StudentNotes,
) -> Iterator[RenderableType]:  # fmt: skip
    yield from _head(grade, final_score)
    if question is None:
        yield from _final_score(final_score, staff)
        yield from _about(grade, staff)
    for each in words.with_checks(grade, final_score):
        if each.id in untouched:
            yield from (Text(), _line(f"{_heading(grade, each, final_score)}, untouched", "bold"))
        elif question in (None, each.id):
            yield from _question(grade, each, final_score, staff)
        if question in (None, each.id):
            yield from _notes(notes, each.id, staff, grade)
    yield from _written(final_score, staff, question, notes)
    yield from _cells(grade, question)
    if question is None:
        yield from (_line(note, "dim") for note in grade.notes)


def _head(grade: Grade, final_score: FinalScore) -> Iterator[RenderableType]:
    """The final points, and those of the checks where they differ."""
    most, same = f"of {as_points(words.most_points(grade, final_score))}", final_score.final == final_score.measured
    points, checks = (
        (grade.points, "")
        if same
        else (final_score.final, f" ({grade.points:g} of {as_points(grade.max_points)} from the checks)")
    )
    yield _line(f"{grade.student}: {points:g} {most} in {grade.assignment}{checks}", "bold")
    if grade.status is Status.NEEDS_ATTENTION:
        yield _line("This result is not final: staff must review it.", "yellow")


def _about(grade: Grade, staff: bool) -> Iterator[RenderableType]:
    """What staff should know about the submission as a whole."""
    if staff:
        yield from (_line(reason, "yellow") for reason in grade.reasons)
        yield from (_line(f"For review: {reason}", "yellow") for reason in grade.review)
        file, where = one_line(grade.file), ", ".join(grade.devices) or "the CPU"
        if bases := words.bases(grade):
            yield _line(f"Its points rest {bases}.", "dim")
        yield _line(f"{file}, graded on {where} under {grade.isolation} ({', '.join(grade.layers)})", "dim")


def _question(grade: Grade, question: Question, final_score: FinalScore, staff: bool) -> Iterator[RenderableType]:
    yield Text()
    yield _line(_heading(grade, question, final_score), "bold")
    yield from (
        _line(f"  Code cell {event['cell']} {event['what']}: {_last_line(event['text'])}", "yellow")
        for event in words.failures(grade, question.id)
    )
    for result in grade.of(question.id):
        yield from _result(result, staff, words.check_override_of(final_score, result.check))


def _written_questions(final_score: FinalScore) -> list[Question]:
    return [each.question for each in final_score.written]


def _written(
    final_score: FinalScore, staff: bool, question: str | None, notes: StudentNotes
) -> Iterator[RenderableType]:  # fmt: skip
    """The written questions or one of them, with what was given for each."""
    for view in words.written(final_score):
        if question not in (None, view["id"]):
            continue
        points = as_points(view["max_points"]) if view["is_open"] else f"{view['points']:g} of {view['max_points']:g}"
        yield Text()
        yield _line(f"{view['id'].partition('_')[0]} {view['title']}: {points}, {view['state']}", "bold")
        yield from (_line(f"  {item.points:+g}  {item.text}") for item in view["items"])
        if view["adjustment"]:
            yield _line(f"  {view['adjustment']:+g}  adjusted by hand")
        if view["comment"]:
            yield Text(indent(printable(view["comment"]), " " * 4))
        if staff and view["by"]:
            yield _line(f"    marked by {view['by']} at {view['at']}", "dim")
        yield from _notes(notes, view["id"], staff)


def _notes(notes: StudentNotes, question: str, staff: bool, grade: Grade | None = None) -> Iterator[RenderableType]:
    """What was written about a question."""
    for head, text in notes.texts(question, grade, staff=staff):
        yield _line(f"  {head}", "cyan")
        yield Text(indent(printable(text, len(text)), " " * 4))


def _heading(grade: Grade, question: Question, final_score: FinalScore) -> str:
    override, earned = words.override_of(final_score, question.id), grade.earned(question.id)
    points = f"{words.points_of(grade, final_score, question.id):g} of {question.points:g}"
    checks = f" ({earned:g} from the checks)" if override and override.points != earned else ""
    name = f"{question.id.partition('_')[0]} {question.title}" if question.title else question.id
    return f"{name}: {points}{checks}"


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _cells(grade: Grade, question: str | None) -> Iterator[RenderableType]:
    """The events of the cells, which often explain why checks did not pass."""
    for event in words.events(grade, question):
        of = f" ({event['question']})" if event["question"] else ""
        yield Text()
        yield _line(f"Code cell {event['cell']}{of} {event['what']}.", "bold")
        yield Text(indent(printable(event["text"]), " " * 4))


def _result(result: CheckResult, staff: bool, override: Override | None) -> Iterator[RenderableType]:
    check, points = result.check, override.points if override else result.points
    line = Text("  ").append(f"{result.verdict.value:8}", _STYLES.get(result.verdict, "red"))
    line.append(f" {points:g}/{check.points:g}  ").append(one_line(check.title or "A check"))
    yield line
    if override:
        who = f"{override.by} at {override.at}" if staff else "the course staff"
        yield _line(f"    {points:g} instead of {result.points:g}, set by {who}: {override.reason}", "cyan")
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
        yield "" if passed else result.command, "dim"


def _line(text: str, style: str = "") -> Text:
    return Text(one_line(text), style)
