"""`gradetape desk`."""

from __future__ import annotations

import webbrowser
from contextlib import suppress
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.desk.opening import serve
from gradetape.grading.results import Results

_PORT = 8765


@click.command("desk")
@options.results_folder
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), default=_PORT, show_default=True,
    help="Port on this machine; 0 is any that is free.",
)  # fmt: skip
@options.by
@click.option("--open", "opened", is_flag=True, help="Open the address in the browser.")
def command(results_folder: Path | None, port: int, by: str | None, opened: bool) -> None:
    """Serve the result pages on this machine alone, with forms for points, comments and requests. Ctrl-C ends.

    The pages are made from the gradebook when they are asked for. The address that is printed works once: it opens a
    session in the browser in which it is used first. Nobody else can connect, not even from this machine.

    \b
    Examples:
      gradetape desk --open
      gradetape desk --results results/ --port 9000
    """
    course = here()
    with Results.open(course, results_folder) as results:
        warn([results.book.migrated])
        results.assignments()

    def shown(address: str) -> None:
        say(address)
        warn(["Open this address in a browser. Ctrl-C ends."])
        if opened and not webbrowser.open(address):
            warn(["No browser was found on this machine."])

    with suppress(KeyboardInterrupt):
        serve(course, results_folder, options.user(by), port, shown)
    warn(["The desk is closed. All changes are in the gradebook; for the files of the pages, run: gradetape report"])
