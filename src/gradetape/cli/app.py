"""`gradetape`: the group of all commands. The module of a command is imported when the command is used: --help stays
fast."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import NoReturn

import click

from gradetape import __version__
from gradetape.cli.lines import complain, warn
from gradetape.cli.status import ATTENTION, INTERRUPTED, OK, WRONG
from gradetape.errors import GradetapeError, InfrastructureError

_DOCTOR = "To check this machine, run gradetape doctor."
# In the order in which a course needs them; each has a module of its name.
VERBS = {
    "init": "Create a course with one example question.",
    "new": "Create an assignment or a question with files to fill in.",
    "rename": "Give a question another id, or a student another name.",
    "remove": "Remove a question with all its files.",
    "copy": "Copy a question of another course or assignment.",
    "verify": "Prove that the checks accept right solutions and reject wrong ones.",
    "release": "Build the students' files in student/.",
    "fetch": "Fetch submissions from Canvas or Moodle.",
    "grade": "Grade notebooks, scripts, zips, or folders of them.",
    "merge": "Join gradebooks that were graded in shares or on several machines.",
    "show": "Show a student's result in the terminal.",
    "override": "Override the points of a question.",
    "mark": "Mark a written answer by its rubric.",
    "comment": "Comment on a student's answer.",
    "request": "Import and answer regrade requests.",
    "done": "Mark a submission as done, and list what is to do.",
    "forget": "Remove everything of a student.",
    "audit": "List which students were renamed or removed.",
    "preview": "Show who would gain or lose with the checks as they are now.",
    "similar": "Show pairs of submissions that share code.",
    "desk": "Open the results in a browser, and work on them there.",
    "report": "Write the result pages again.",
    "export": "Export the grades for other programs.",
    "push": "Set final scores on Canvas or Moodle.",
    "image": "Build and check the container image.",
    "doctor": "Check this machine and show how to fix what is missing.",
}


class LazyGroup(click.Group):
    """A group that imports only the command that is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a course needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"gradetape.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gradetape")
def cli() -> None:
    """Auto-grade TensorFlow and Keras coursework, with the checks isolated from the students' code.

    Run it in a course's folder or below it. Exit status: 0 success, 1 something needs attention, 2 wrong usage or
    configuration, 130 interrupted (nothing is lost).

    \b
    Examples:
      gradetape verify
      gradetape grade submissions/
    """


def main() -> NoReturn:
    """Runs a command; prints a user's mistake without a traceback."""
    # Not by way of SIGINT: in a shell's background jobs, and under nohup, it is ignored.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG)
    except (KeyboardInterrupt, click.Abort) as error:
        warn([" ".join(["Interrupted.", *error.args])])
        sys.exit(INTERRUPTED)
    except InfrastructureError as error:
        complain(error)
        warn([_DOCTOR])
        sys.exit(ATTENTION)
    except GradetapeError as error:
        complain(error)
        sys.exit(WRONG)
    sys.exit(OK)
