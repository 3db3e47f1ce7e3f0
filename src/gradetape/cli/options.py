"""Options that several commands have."""

from __future__ import annotations

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
question = click.option(
    "--question", metavar="ID", help="Only this question, by its id or a unique prefix of it, such as q05."
)
