"""`gradetape merge`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import document, warn
from gradetape.cli.status import ATTENTION, OK
from gradetape.grading import merge_words
from gradetape.grading.merging import merge


@click.command("merge")
@click.argument("results", nargs=-1, required=True)
@click.option(
    "--out",
    "--results",
    "out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the merged gradebook and the pages. [default: results in grader_config.yml]",
)
@options.as_json
def command(results: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Join gradebooks that were graded in shares or on several machines.

    RESULTS are results folders, gradebook.sqlite files or database URLs. Attempts, question results, overrides,
    comments, done marks and regrade requests are added to the course's gradebook in one step, and the pages are
    written. Merging twice changes nothing. Where gradebooks have different results for the same file, the command says
    which differ and which counts.

    \b
    Examples:
      gradetape merge results/shards/*
      gradetape merge results/shards/* --out results/merged
    """
    merged = merge(here(), results, out)
    if as_json:
        document(merge_words.as_json(merged))
    warn(merge_words.lines(merged))
    sys.exit(ATTENTION if merged.needs_attention else OK)
