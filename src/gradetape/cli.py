"""The command line: one thin command per verb. What a verb needs is imported when it is called."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from gradetape import __version__
from gradetape.errors import GradetapeError, InfrastructureError, SubmissionError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from gradetape.batch import Batch
    from gradetape.config import Config
    from gradetape.course import Course
    from gradetape.gradebook import Grader
    from gradetape.judge.cases import Exam
    from gradetape.records import Grade, Submission, Unreadable
    from gradetape.verify import Proof

OK, ATTENTION, WRONG, INTERRUPTED = 0, 1, 2, 130
_SHOWN, _NAMED = 20, 5


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gradetape")
def cli() -> None:
    """Auto-graded TensorFlow and Keras coursework, judged from behind a wall.

    Run it in a course's folder, or below it. Exit status: 0 all is well, 1 something needs attention, 2 the command
    or the configuration is wrong, 130 interrupted with nothing lost.
    """


@cli.command()
@click.argument("assignments", nargs=-1)
def release(assignments: tuple[str, ...]) -> None:
    """Build student/ from assignments/: what students receive.

    \b
    Examples:
      gradetape release                     every assignment
      gradetape release custom-training     one of them
    """
    from gradetape.release import release as build

    course = _course()
    for name in assignments or course.names():
        folder = build(course.assignment(name), course.root / "student", course.config.keras == "legacy")
        click.echo(f"{os.path.relpath(folder)} is ready for students.")


@cli.group()
def new() -> None:
    """Begin an assignment or a question, with files to fill in."""


@new.command("assignment")
@click.argument("name")
@click.option("--from", "sheet", metavar="SHEET", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A Markdown sheet of numbered questions, each with its answer indented below it.")  # fmt: skip
def new_assignment(name: str, sheet: Path | None) -> None:
    """Begin an assignment, with one question or with those of a sheet.

    A sheet's questions go into the prompts; its answers become notes in solutions/, for instructors alone.

    \b
    Examples:
      gradetape new assignment week-3
      gradetape new assignment week-3 --from questions.md
    """
    from gradetape import draft

    written = draft.new_assignment(_course(), name, draft.read(sheet) if sheet else None)
    _tell_written(written, f"gradetape verify {name}")


@new.command("question")
@click.argument("assignment")
@click.argument("stem")
def new_question(assignment: str, stem: str) -> None:
    """Add a question to the end of an assignment.

    \b
    Example:
      gradetape new question week-3 q04_layer_norm
    """
    from gradetape import draft

    written = draft.new_question(_course(), assignment, stem)
    _tell_written(written, f"gradetape verify {assignment} --question {stem}")


def _tell_written(paths: list[Path], following: str) -> None:
    for path in paths:
        click.echo(str(path))
    click.echo(f"Fill these in; then prove the checks: {following}")


@cli.command()
@click.argument("assignments", nargs=-1)
@click.option("--question", metavar="STEM", help="Prove the checks of one question only.")
@click.option(
    "--repeat",
    metavar="N",
    type=click.IntRange(1, 100),
    default=1,
    help="Run the right solutions N times, to find flaky checks.",
)
@click.option("--workers", metavar="N", type=click.IntRange(1, 512), help="How many solutions to run side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, to stdout.")
def verify(assignments: tuple[str, ...], question: str | None, repeat: int, workers: int | None, as_json: bool) -> None:
    """Prove the checks: with the reference, the variants, the starter, the mutants and the adversaries.

    \b
    Examples:
      gradetape verify
      gradetape verify custom-training --question q05_custom_loss
      gradetape verify custom-training --repeat 5 --json
    """
    from gradetape.verify.table import render

    course = _course()
    lanes = workers or _workers(course.config)
    names = assignments or course.names()
    if as_json and len(names) != 1:
        raise click.UsageError("--json describes one assignment: name it")
    proofs = []
    for name in names:
        exam = _exam(course, name, question)
        proof = _proven(exam, lanes, question, repeat)
        proofs.append(proof)
        if not as_json:
            render(proof, _console(stderr=False))
    if as_json:
        click.echo(json.dumps(proofs[0].as_json(), indent=2))
        click.echo("\n".join(proofs[0].problems), err=True)
    sys.exit(OK if all(proof.ok for proof in proofs) else ATTENTION)


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--assignment", metavar="NAME", help="Grade for this assignment, whatever the notebooks say.")
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, to stdout.")
def grade(
    paths: tuple[Path, ...], assignment: str | None, out: Path | None, question: str | None, regrade: bool,
    workers: int | None, device: str | None, isolation: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Grade notebooks, scripts, zips, or folders of them, into the gradebook and the pages.

    Run again, it goes on where it stopped: what is graded already is not graded again.

    \b
    Examples:
      gradetape grade submissions/
      gradetape grade alice.ipynb bob.zip --assignment custom-training
      gradetape grade submissions/ --question q05_custom_loss --json
    """
    from gradetape import batch, intake
    from gradetape.report.tables import as_json as described

    course = _course()
    config = course.config
    walls = _isolation(isolation or config.isolation)
    found = intake.read(paths, assignment=assignment)
    name, submissions, unreadable = batch.of_assignment(found, assignment)
    if name is None:
        _refuse_all(unreadable)
    exam = _exam(course, name, question)
    folder = (out or course.root / config.results) / (question or "")
    settings = {"device": _device(device or config.device), "isolation": walls, "shown": shlex.quote}
    how = _How(folder, question, regrade, workers or _workers(config), settings)
    run = _grade(exam, submissions, unreadable, how)
    if as_json:
        told = described(run.grades, run.unreadable, name, walls, max_points=_max_points(exam, question))
        click.echo(json.dumps(told, indent=2))
    _tell(run, folder)
    sys.exit(ATTENTION if run.needs_attention else OK)


def _proven(exam: Exam, workers: int, question: str | None, repeat: int) -> Proof:
    from gradetape.verify import verify as prove

    with _bar("verifying") as bar:
        task = bar.add_task(exam.assignment.name, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return prove(exam, workers=workers, question=question, repeat=repeat, tell=tell)


class _How(NamedTuple):
    """What the options of `grade` ask for; `settings` are the batch session's."""

    folder: Path
    question: str | None
    regrade: bool
    workers: int
    settings: dict[str, Any]


def _grade(exam: Exam, submissions: list[Submission], unreadable: list[Unreadable], how: _How) -> Batch:
    """Grades into the gradebook, then writes the pages of all that is in it."""
    from gradetape.batch import Session
    from gradetape.gradebook import Gradebook
    from gradetape.report.folder import write

    name = exam.assignment.name
    url = exam.course.config.gradebook
    # One question's points never take the place of the whole assignment's.
    place = url if url and not how.question else how.folder / "gradebook.sqlite"
    with Gradebook.open(place) as book, _Progress() as progress:
        if book.migrated:
            click.echo(book.migrated, err=True)
        try:
            session = Session(exam, book, progress, question=how.question, **how.settings)
            return session.run(submissions, unreadable, regrade=how.regrade, workers=how.workers)
        finally:
            write(
                how.folder, book.latest(name), book.unreadable(name), assignment=name, title=exam.assignment.title,
                max_points=_max_points(exam, how.question),
            )  # fmt: skip


def _max_points(exam: Exam, question: str | None) -> float:
    return sum(each.points for each in exam.assignment.questions if question in (None, each.stem))


class _Progress:
    """A bar with an ETA on a terminal, a line for each submission elsewhere; always on stderr."""

    def __init__(self) -> None:
        self._console = _console()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._total = 0
        self._done = 0

    def begin(self, total: int, known: int) -> None:
        """Says what there is to do."""
        self._total = total - known
        if known:
            self._console.print(f"{known} of {total} are graded already and are not graded again (--regrade does).")
        if self._total and self._console.is_terminal:
            self._bar = _bar("grading")
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)

    def graded(self, grade: Grade) -> None:
        """Counts a submission."""
        from rich.text import Text

        from gradetape.text import printable

        self._done += 1
        # A Text is printed as it stands, where Rich would take the brackets in a string for markup.
        line = Text(f"{printable(grade.student, 60)}: {grade.points:g} of {grade.max_points:g}")
        if grade.attention:
            line.append(" needs attention", "yellow")
        if self._bar is not None and self._task is not None:
            self._bar.console.print(line)
            self._bar.advance(self._task)
        else:
            self._console.print(Text(f"{self._done}/{self._total} ").append_text(line))

    def shared(self, other: Grader) -> None:
        """Says who else is at work."""
        self._console.print(
            f"Another grader is at work on this gradebook (process {other.pid} on {other.host}). What it has in hand "
            "is left to it, and its grades are taken over.",
            markup=False,
        )

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _tell(run: Batch, folder: Path) -> None:
    from gradetape.text import printable

    for entry in run.unreadable:
        click.echo(f"unreadable: {printable(entry.file)}: {printable(entry.reason)}", err=True)
    for reason, students in _by_reason(run.grades).items():
        others = f" and {len(students) - _NAMED} more" if len(students) > _NAMED else ""
        names = f"{', '.join(printable(student, 60) for student in students[:_NAMED])}{others}"
        click.echo(f"needs attention: {names}: {printable(reason)}", err=True)
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
    from gradetape.text import printable

    reasons = "\n".join(f"{printable(entry.file)}: {printable(entry.reason)}" for entry in unreadable[:_SHOWN])
    more = f"\n… and {len(unreadable) - _SHOWN} more" if len(unreadable) > _SHOWN else ""
    raise SubmissionError(
        "None of these files can be graded, and none says which assignment it is of. "
        f"If you know it, name it with --assignment.\n{reasons}{more}"
    )


def _course() -> Course:
    from gradetape import course

    return course.find(Path.cwd())


def _exam(course: Course, name: str, question: str | None) -> Exam:
    from gradetape.config import did_you_mean
    from gradetape.judge.cases import Exam

    exam = Exam.open(course, name)
    if question is not None and question not in exam.assignment.stems:
        near = did_you_mean(question, exam.assignment.stems)
        raise click.UsageError(f"{name} has no question {question}.{near} It has: {', '.join(exam.assignment.stems)}")
    return exam


def _workers(config: Config) -> int:
    return len(os.sched_getaffinity(0)) if config.workers == "auto" else config.workers


def _isolation(asked: str) -> str:
    if asked == "container":
        raise click.UsageError("--isolation container is not there yet in this version: use namespaces")
    if asked == "none":
        click.echo("WARNING: no walls: code in a submission can read and change whatever you can.", err=True)
    return asked


def _device(asked: str) -> str:
    if asked == "gpu":
        raise click.UsageError("--device gpu needs the container, which is not there yet in this version: use cpu")
    return "cpu"


def _console(*, stderr: bool = True) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True)


def _bar(verb: str) -> Bar:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[Any] = [
        TextColumn(f"{verb} {{task.description}}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    ]  # fmt: skip
    return Progress(*columns, console=_console(), transient=True)


def main() -> NoReturn:
    """Runs a command; a person's mistake is told without a traceback."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted. What was graded is kept: run the same command to go on.", err=True)
        sys.exit(INTERRUPTED)
    except GradetapeError as error:
        click.echo(f"gradetape: {error}", err=True)
        sys.exit(ATTENTION if isinstance(error, InfrastructureError) else WRONG)
    sys.exit(OK)
