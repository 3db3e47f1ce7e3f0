"""`gradetape grade`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from gradetape.cli import common, results
from gradetape.cli.common import ATTENTION, OK
from gradetape.errors import SubmissionError

if TYPE_CHECKING:
    from gradetape.course.gradable import GradableAssignment
    from gradetape.grading.driver import Batch
    from gradetape.records import Grade, Submission, Unreadable
    from gradetape.runtime.slots import Slots

_SHOWN = 20
_NOT_FINAL = (
    "These grades are not final, and grading again judges them anew. gradetape verify tries the checks themselves; "
    "gradetape show STUDENT --staff tells all that is known."
)


@click.command("grade", short_help="Grade notebooks, scripts, zips, or folders of them.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--assignment", metavar="NAME", help="Grade for this assignment, whatever the notebooks say.")
@click.option(
    "--student", metavar="NAME", help="Whose the one submission is, whatever the names of its file and folder say."
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the gradebook and the pages go. [default: the config's results]",
)
@click.option("--question", metavar="STEM", help="Grade one question only, apart from the whole: into DIR/STEM.")
@click.option("--regrade", is_flag=True, help="Grade again what the gradebook has already.")
@click.option("--workers", metavar="N", type=click.IntRange(1, 512), help="How many submissions to grade side by side.")
@click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), help="Where TensorFlow computes.")
@click.option(
    "--isolation", type=click.Choice(["namespaces", "container", "none"]), help="The walls around a student's code."
)
@common.as_json
def command(
    paths: tuple[Path, ...], assignment: str | None, student: str | None, out: Path | None, question: str | None,
    regrade: bool, workers: int | None, device: str | None, isolation: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Grade notebooks, scripts, zips, or folders of them, into the gradebook and the pages.

    Run again, it goes on where it stopped: what is graded already is not graded again.

    \b
    Examples:
      gradetape grade submissions/
      gradetape grade alice.ipynb bob.zip --assignment custom-training
      gradetape grade downloads/homework.ipynb --student alice
      gradetape grade submissions/ --question q05_custom_loss --json
    """
    from gradetape import intake
    from gradetape.cli.standings import times_of
    from gradetape.grading import driver as batch
    from gradetape.report.tables import as_json as described
    from gradetape.runtime.slots import Slots

    course = common.here()
    config = course.config
    found = intake.read(paths, assignment=assignment)
    if student is not None:
        found = [_of_student(found, student)]
    name, submissions, unreadable = batch.of_assignment(found, assignment)
    _tell_passed_over(paths)
    if name is None:
        _refuse_all(unreadable)
    _tell_left_out(submissions)
    _tell_overruled(submissions, name)
    gradable = common.gradable_assignment(course, name, question)
    times_of(course)  # a late policy that cannot be followed is told before anything is graded
    folder = (out or course.root / config.results) / (question or "")
    slots = Slots.of(
        config, workers=workers or common.workers_of(config), secret=gradable.secret_folders, isolation=isolation,
        device=device,
    )  # fmt: skip
    _warn_isolation(slots)
    run = _grade(gradable, slots, submissions, unreadable, _How(folder, out, question, regrade))
    if as_json:
        told = described(
            run.grades,
            run.unreadable,
            name,
            slots.isolation,
            max_points=results.max_points(gradable.assignment, question),
        )
        click.echo(json.dumps(told, indent=2))
    _tell(run, folder)
    sys.exit(ATTENTION if run.needs_attention else OK)


class _How(NamedTuple):
    """What the options of `grade` ask for."""

    folder: Path
    out: Path | None
    question: str | None
    regrade: bool


def _of_student(found: list[Submission | Unreadable], student: str) -> Submission | Unreadable:
    from gradetape import intake

    if not student.strip():
        raise click.UsageError("--student is empty: write the student's name")
    if len(found) != 1:
        raise click.UsageError(f"--student says whose one submission is, and {len(found)} are here: name the one file")
    return intake.renamed(found[0], student)


def _grade(
    gradable: GradableAssignment, slots: Slots, submissions: list[Submission], unreadable: list[Unreadable], how: _How
) -> Batch:
    """Grades into the gradebook, then writes the pages of all that is in it."""
    from gradetape.cli.progress import Progress
    from gradetape.gradebook import Gradebook
    from gradetape.grading.driver import Session
    from gradetape.text import shell_word

    url = gradable.course.config.gradebook
    # One question's points never take the place of the whole assignment's.
    place = url if url and not how.question else how.folder / "gradebook.sqlite"
    with Gradebook.open(place) as book, Progress() as progress:
        results.tell_migrated(book)
        try:
            session = Session(gradable, slots, book, progress, question=how.question, shown=shell_word)
            return session.run(submissions, unreadable, regrade=how.regrade)
        except KeyboardInterrupt:
            raise click.Abort("What was graded is kept: run the same command to go on.") from None
        finally:
            results.write_pages(
                gradable.course, gradable.assignment, book, how.folder, question=how.question,
                options=results.options_again(how.out, how.question),
            )  # fmt: skip


def _tell(run: Batch, folder: Path) -> None:
    from gradetape.text import few, one_line, printable

    for entry in run.unreadable:
        click.echo(f"unreadable: {one_line(entry.file)}: {printable(entry.reason)}", err=True)
    for reason, students in _by_reason(run.grades).items():
        names = few(printable(student, 60) for student in students)
        click.echo(f"needs attention: {names}: {printable(reason)}", err=True)
    if any(grade.attention for grade in run.grades):
        click.echo(_NOT_FINAL, err=True)
    for each in run.grades:
        if each.review:
            more = f" and {len(each.review) - 1} more" if len(each.review) > 1 else ""
            click.echo(f"for review: {printable(each.student, 60)}: {printable(each.review[0])}{more}", err=True)
    before = len(run.grades) - run.fresh - run.shared
    meanwhile = f"{run.shared} by another grader meanwhile, " if run.shared else ""
    counts = f"{run.fresh} graded now, {meanwhile}{before} graded before, {len(run.unreadable)} unreadable"
    click.echo(f"{counts}; the pages begin at {folder / 'index.html'}", err=True)


def _by_reason(grades: list[Grade]) -> dict[str, list[str]]:
    """Who needs attention, by the reason: a check that is broken is so for everyone."""
    students: dict[str, list[str]] = {}
    for grade in grades:
        for reason in grade.attention:
            students.setdefault(reason, []).append(grade.student)
    return students


def _refuse_all(unreadable: list[Unreadable]) -> NoReturn:
    from gradetape.text import one_line, printable

    reasons = "\n".join(f"{one_line(entry.file)}: {printable(entry.reason)}" for entry in unreadable[:_SHOWN])
    more = f"\n… and {len(unreadable) - _SHOWN} more" if len(unreadable) > _SHOWN else ""
    raise SubmissionError(
        "None of these files can be graded, and none says which assignment it is of. "
        f"If you know it, name it with --assignment.\n{reasons}{more}"
    )


def _tell_overruled(submissions: list[Submission], name: str) -> None:
    """Says how many name another assignment than the one that they are graded for: a slip would be zeros for all."""
    others = Counter(each.declared_assignment for each in submissions if each.declared_assignment not in (None, name))
    for other, count in others.most_common():
        say, they = ("notebook says that it is", "it is") if count == 1 else ("notebooks say that they are", "they are")
        click.echo(f"{count} {say} of {other}; {they} graded as {name}, since --assignment says so", err=True)


def _tell_passed_over(paths: tuple[Path, ...]) -> None:
    """Says what lies beside the submissions in a folder: one of these could be a student's all the same."""
    from gradetape import intake

    others = intake.passed_over(paths[0]) if len(paths) == 1 else []
    if others:
        click.echo(f"not submissions, and passed over: {_few([path.name for path in others])}", err=True)


def _tell_left_out(submissions: list[Submission]) -> None:
    """Says which files of a student were left out for the one that counts."""
    told = [f"{each.student} ({', '.join(each.others)})" for each in submissions if each.others]
    if told:
        click.echo(f"left out for another file of the same student: {_few(told)}", err=True)


def _few(names: list[str]) -> str:
    from gradetape.text import few, one_line

    return few(one_line(name, 100) for name in names)


def _warn_isolation(slots: Slots) -> None:
    if slots.isolation == "none":
        click.echo("WARNING: no walls: code in a submission can read and change whatever you can.", err=True)
    click.echo(slots.description, err=True)
