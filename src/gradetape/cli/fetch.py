"""`gradetape fetch`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gradetape.cli.lines import say, warn
from gradetape.cli.platforms import place, place_options, progress
from gradetape.cli.status import ATTENTION, OK
from gradetape.lms import APIS, Fetched, fetch, open_platform
from gradetape.text import counted, one_line

_HELP = """Fetch the submissions to an assignment on {title} into a folder.

The folder has what {title}'s own download has, and `gradetape grade` takes it as it is. A file that is there already is
not fetched again, and one that a newer attempt has replaced is removed. The token is read from the environment
(GRADETAPE_{variable}_TOKEN) or the keyring.

\b
Example:
  gradetape fetch {name} --url https://{name}.example.edu {course}--id 901 --into downloads/hw1
"""
_INTO = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("fetch")
def command() -> None:
    """Fetch submissions from Canvas or Moodle.

    \b
    Example:
      gradetape fetch canvas --url https://canvas.example.edu --course 42 --id 901 --into downloads/hw1
    """


def subcommand(name: str, title: str) -> click.Command:
    """The command for a platform."""
    course = "--course 42 " if name == "canvas" else ""
    text = _HELP.format(name=name, title=title, variable=name.upper(), course=course)

    @click.command(name, help=text, short_help=f"Fetch submissions from {title}.")
    @place_options(name)
    @click.option("--into", metavar="DIR", type=_INTO, required=True, help="The folder for the files.")
    @click.option("--times", metavar="FILE", type=_FILE, help="Also write when work was handed in, for late.times.")
    @click.option("--dry-run", is_flag=True, help="List what would be fetched, and fetch nothing.")
    def run(url: str, number: int, into: Path, times: Path | None, dry_run: bool, course: int | None = None) -> None:
        with open_platform(name, place(url, number, course)) as platform:
            found = fetch(platform, into, dry_run=dry_run, told=progress, times=times)
        _report(found, into, dry_run=dry_run)
        sys.exit(ATTENTION if found.failed else OK)

    return run


def _report(found: Fetched, into: Path, *, dry_run: bool) -> None:
    if dry_run:
        say(*(f"would fetch: {name}" for name in found.new), *(f"would remove: {name}" for name in found.removed))
    warn([f"not fetched: {one_line(name)}: {why}" for name, why in found.failed])
    removed = f", {len(found.removed)} removed" if found.removed else ""
    done = "Nothing was fetched" if dry_run else f"{counted(len(found.new), 'file')} fetched into {into}"
    say(f"{done}; {len(found.known)} there already{removed}.")


for _name, _title in APIS.items():
    command.add_command(subcommand(_name, _title))
