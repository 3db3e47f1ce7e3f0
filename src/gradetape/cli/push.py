"""`gradetape push`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.export_into import pairs_of, scores_of
from gradetape.cli.lines import say, warn
from gradetape.cli.platforms import place, place_options, progress
from gradetape.grading.results import max_points
from gradetape.lms import APIS, PushRequest, open_platform, plan_push
from gradetape.text import counted

_HELP = """Set the final scores of an assignment on {title}.

Only points that differ are set, so the command can be run again after an error. Nobody without a final score gets
points, not even 0, and nothing is set if anything is wrong. A student is recognised as in `gradetape export {name}`.
The token is read from the environment (GRADETAPE_{variable}_TOKEN) or the keyring.

\b
Examples:
  gradetape push {name} --url https://{name}.example.edu {course}--id 901 --dry-run
  gradetape push {name} --url https://{name}.example.edu {course}--id 901 --assignment custom-training
"""


@click.group("push")
def command() -> None:
    """Set final scores on Canvas or Moodle.

    \b
    Example:
      gradetape push canvas --url https://canvas.example.edu --course 42 --id 901 --dry-run
    """


def subcommand(name: str, title: str) -> click.Command:
    """The command for a platform."""
    course = "--course 42 " if name == "canvas" else ""
    text = _HELP.format(name=name, title=title, variable=name.upper(), course=course)

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
    @click.option("--dry-run", is_flag=True, help="List what would be set, and set nothing.")
    @options.results_folder
    def run(
        url: str, number: int, assignment: str | None, pairs: tuple[str, ...], partial: bool, dry_run: bool,
        results_folder: Path | None, course: int | None = None,
    ) -> None:  # fmt: skip
        scores, of = scores_of(here(), name, assignment, results_folder)
        request = PushRequest(scores=scores, max_points=max_points(of), chosen=pairs_of(pairs), partial=partial)
        with open_platform(name, place(url, number, course)) as platform:
            plan = plan_push(platform, request)
            warn(plan.notes)
            if dry_run:
                say(*(change.line for change in plan.changes))
            else:
                plan.carry_out(platform, progress)
        done = "would be set" if dry_run else "set"
        say(f"{counted(len(plan.changes), 'score')} {done} on {title}; {plan.same} there already.")

    return run


for _name, _title in APIS.items():
    command.add_command(subcommand(_name, _title))
