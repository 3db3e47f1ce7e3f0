"""The command line: a module per verb, each with its `command`. What a verb needs is imported when it runs."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

import click

from gradetape import __version__
from gradetape.cli import doctor, export, grade, image, init, new, override, release, report, show, verify
from gradetape.cli.common import ATTENTION, INTERRUPTED, OK, WRONG
from gradetape.errors import GradetapeError, InfrastructureError

_MACHINERY = "What this machine lacks for grading, if anything: gradetape doctor"


class _InOrder(click.Group):
    """Shows the verbs in the order in which a course needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gradetape")
def cli() -> None:
    """Auto-graded TensorFlow and Keras coursework, judged from behind a wall.

    Run it in a course's folder, or below it. Exit status: 0 all is well, 1 something needs attention, 2 the command
    or the configuration is wrong, 130 interrupted with nothing lost.

    \b
    Examples:
      gradetape verify
      gradetape grade submissions/
    """


for _verb in (init, new, verify, release, grade, show, override, report, export, image, doctor):
    cli.add_command(_verb.command)


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
    except (KeyboardInterrupt, click.Abort) as error:
        click.echo(" ".join(["Interrupted.", *error.args]), err=True)
        sys.exit(INTERRUPTED)
    except InfrastructureError as error:
        click.echo(f"gradetape: {error}\n{_MACHINERY}", err=True)
        sys.exit(ATTENTION)
    except GradetapeError as error:
        click.echo(f"gradetape: {error}", err=True)
        sys.exit(WRONG)
    sys.exit(OK)
