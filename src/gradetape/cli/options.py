"""Options that several commands have."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object to stdout, and nothing else.")
_FOLDER = click.Path(path_type=Path)
_WRITTEN = "The folder that grade wrote to. [default: results in grader_config.yml]"
results_folder = click.option("--results", "--out", "results_folder", metavar="DIR", type=_FOLDER, help=_WRITTEN)
# Where --out is the file that a command writes.
results_alone = click.option("--results", "results_folder", metavar="DIR", type=_FOLDER, help=_WRITTEN)
workers = click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 512),
    help="Number of parallel workers. [default: workers in grader_config.yml]",
)
engine = click.option(
    "--engine", type=click.Choice(["local", "ray"]),
    help="Where to judge: on this machine, or on a Ray cluster. [default: engine in grader_config.yml]",
)  # fmt: skip
address = click.option(
    "--address", metavar="HOST:PORT",
    help="Ray cluster to join. [default: RAY_ADDRESS; without it, Ray starts on this machine]",
)  # fmt: skip
roster = click.option(
    "--roster",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The class list: a CSV file, or a platform's file of grades. [default: roster in grader_config.yml]",
)
roster_map = click.option(
    "--roster-map",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV file that says whose a submission is where the class list cannot. [default: roster_map there]",
)
by = click.option("--by", metavar="NAME", help="The name to record. [default: your user name]")
question = click.option(
    "--question", metavar="ID", help="Only this question, by its id or a unique prefix of it, such as q05."
)


def user(by: str | None) -> str:
    """The name to record; raises UsageError if none is given and the system knows none."""
    if by and by.strip():
        return by.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("your user name is unknown on this system: pass it with --by NAME") from None
