"""`gradetape push`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.export_into import pairs_of, scores_of
from gradetape.cli.lines import say, warn
from gradetape.cli.platforms import place, place_options, progress
from gradetape.grading.results import max_points
from gradetape.lms import APIS, PushPlan, PushRequest, open_platform, plan_push
from gradetape.text import counted

_Run = TypeVar("_Run", bound=Callable[..., Any])
_HELP = """Set the final scores of an assignment on {title}.

{comments} Only what differs is set, so the command can be run again after an error. Nobody without a final score gets
points, not even 0, and nothing is set if anything is wrong. A student is recognised as in `gradetape export {name}`.
The token is read from the environment (GRADETAPE_{variable}_TOKEN) or the keyring.

\b
Examples:
  gradetape push {name} --url https://{name}.example.edu {course}--id 901 --dry-run
  gradetape push {name} --url https://{name}.example.edu {course}--id 901 --assignment custom-training
"""
_COMMENTS = MappingProxyType({
    "canvas": "Students also get a comment: the points of each question, and the checks that are not passed with their "
    "hints. A comment that has changed is added below the older one.",
    "moodle": "Students also get the feedback comment: the points of each question, and the checks that are not passed "
    "with their hints. Comments that somebody else wrote stay.",
})  # fmt: skip


@click.group("push")
def command() -> None:
    """Set final scores, with comments, on Canvas or Moodle.

    \b
    Example:
      gradetape push canvas --url https://canvas.example.edu --course 42 --id 901 --dry-run
    """


def subcommand(name: str, title: str) -> click.Command:
    """The command for a platform."""
    course = "--course 42 " if name == "canvas" else ""
    text = _HELP.format(name=name, title=title, variable=name.upper(), course=course, comments=_COMMENTS[name])

    @click.command(name, help=text, short_help=f"Set final scores on {title}.")
    @place_options(name)
    @click.option("--assignment", metavar="NAME", help="The assignment, if the gradebook has several.")
    @click.option(
        "--match",
        "pairs",
        metavar="STUDENT=ID",
        multiple=True,
        help="Who a student is there: an id, login or email.",
    )
    @click.option("--partial", is_flag=True, help="Leave out students who are not there.")
    @click.option("--comments/--no-comments", default=True, show_default=True, help="Also set the feedback comment.")
    @_replacing(name)
    @click.option("--dry-run", is_flag=True, help="List what would be set, and set nothing.")
    @options.results_folder
    def run(
        url: str, number: int, assignment: str | None, pairs: tuple[str, ...], partial: bool, comments: bool,
        dry_run: bool, results_folder: Path | None, course: int | None = None, replace: bool = False,
    ) -> None:  # fmt: skip
        scores, of = scores_of(here(), name, assignment, results_folder)
        request = PushRequest(
            scores=scores, max_points=max_points(of), chosen=pairs_of(pairs), partial=partial, comments=comments,
            replace=replace,
        )  # fmt: skip
        with open_platform(name, place(url, number, course)) as platform:
            plan = plan_push(platform, request, progress)
            warn(plan.notes)
            if dry_run:
                say(*(line for change in plan.changes for line in change.lines))
            else:
                plan.carry_out(platform, progress)
        _report(plan, title, dry_run=dry_run)

    return run


def _replacing(name: str) -> Callable[[_Run], _Run]:
    """The option to replace comments, where a new one replaces the older one."""
    text = "Also replace a comment that somebody else wrote, or that Moodle does not show."
    asked = click.option("--replace-comments", "replace", is_flag=True, help=text)
    return asked if name == "moodle" else lambda run: run


def _report(plan: PushPlan, title: str, *, dry_run: bool) -> None:
    done = "would be set" if dry_run else "set"
    say(f"{counted(plan.scores, 'score')} {done} on {title}; {plan.same} there already.")
    if plan.comments:
        say(f"{counted(plan.comments, 'comment')} {done}.")


for _name, _title in APIS.items():
    command.add_command(subcommand(_name, _title))
