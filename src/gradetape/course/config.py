"""The settings of a course: `grader_config.yml`, read once into a frozen `Config`.

`python -m gradetape.course.config` prints the JSON schema for editors.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator
from pydantic.fields import FieldInfo

from gradetape import records
from gradetape.course.check_files import CONFIG_FILE
from gradetape.course.strict_yaml import StrictModel, mapping_in, read
from gradetape.text import composed

FILE = CONFIG_FILE
_HEAD = """\
## The settings of this course. A key after '# ' has its default value: remove the '# ' to change it, and for a key in a
## group also the '# ' of the group's line. A line that starts with '##' describes the next key.
"""
COURSE_FOLDERS = ("assignments", "solutions", "autograder", "student")

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class LimitsConfig(StrictModel):
    """The limits of one submission. A limit that is not set keeps its default."""

    load_s: Seconds = Field(60.0, description="Seconds for a worker to start.")
    cell_s: Seconds = Field(60.0, description="Seconds for one cell of a notebook.")
    check_s: Seconds = Field(20.0, description="Seconds for one check, unless the check asks for more.")
    submission_s: Seconds = Field(900.0, description="Seconds for one submission in total.")
    cell_cpu_s: Seconds | None = Field(
        None, description="CPU seconds for one cell, all processes together; twice cell_s by default."
    )
    check_cpu_s: Seconds | None = Field(
        None,
        description="CPU seconds for one check, more if the check asks for more time; twice check_s by default.",
    )
    submission_cpu_s: Seconds | None = Field(
        None, description="CPU seconds for one submission in total; twice submission_s by default."
    )
    memory_mb: int = Field(4096, ge=256, le=1_048_576, description="Mebibytes of memory for one worker.")
    disk_mb: int = Field(
        512, ge=1, le=1_048_576, description="Mebibytes of disk space in each of a worker's private folders."
    )
    processes: int = Field(
        128, ge=32, le=32_768, description="Processes and threads of one worker; TensorFlow needs at least 32."
    )
    output_kb: int = Field(64, ge=1, le=65_536, description="Kibibytes of printed text that are kept.")

    @model_validator(mode="after")
    def _whole_covers_parts(self) -> LimitsConfig:
        if self.submission_s < max(self.load_s, self.cell_s, self.check_s):
            raise ValueError(
                "submission_s is less than load_s, cell_s or check_s; make it at least as large as each of them"
            )
        return self

    def record(self) -> records.Limits:
        """The same limits as the record that is sent to workers."""
        cpu = {
            f"{part}_cpu_s": getattr(self, f"{part}_cpu_s") or 2 * getattr(self, f"{part}_s")
            for part in ("cell", "check", "submission")
        }
        return records.Limits(**(self.model_dump() | cpu))


def _results_folder(path: Path) -> Path:
    if not path.name or path.parts[0] in COURSE_FOLDERS:
        raise ValueError(f"results need a folder of their own, outside {', '.join(COURSE_FOLDERS)}; try 'results'")
    return path


def _database_url(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.partition("+")[0] not in ("sqlite", "postgresql"):
        raise ValueError("write sqlite:///file or postgresql://user@host/name, or leave it out")
    return url


def _with_zone(text: str) -> str:
    try:
        zone = datetime.fromisoformat(text).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise ValueError("write an ISO time with its zone, like 2026-10-01T23:59:00+02:00")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("write the name of a time zone, like Europe/Berlin or America/New_York") from None
    return name


Time = Annotated[str, AfterValidator(_with_zone)]
# The same name can be written in several ways, such as é as one character or as two.
StudentName = Annotated[str, AfterValidator(composed)]
RelativePath = Annotated[Path, Field(strict=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class LatePolicy(StrictModel):
    """The penalty for late submissions. The deadline of an assignment is in its assignment.yml."""

    grace_minutes: Annotated[float, Field(ge=0, le=10_080, allow_inf_nan=False)] = Field(
        0.0, description="Minutes after the deadline without a penalty."
    )
    percent_per_day: Percent = Field(
        0.0, description="Penalty for each started day after the deadline, in percent of the points."
    )
    most_percent: Percent = Field(100.0, description="The largest penalty, in percent of the points.")
    timezone: Annotated[str, AfterValidator(_zone)] | None = Field(
        None,
        description="The course's zone, like Europe/Berlin: its clocks say when a day is over, so one on which "
        "they change has 23 or 25 hours. By default each day has 24.",
    )
    times: RelativePath | dict[str, RelativePath] | None = Field(
        None,
        description="A CSV file with submission times, relative to the course folder: columns student, time (ISO, with "
        "time zone), and assignment if there are several, or a platform's file. Or such a file for each assignment.",
    )
    by_file: bool = Field(
        False, description="Use the modification time of the submitted file if the CSV file has no time for it."
    )
    extensions: dict[str, dict[StudentName, Time]] = Field(
        {}, description="Deadlines for single students: for each assignment, student names with their times."
    )

    def times_of(self, assignment: str) -> Path | None:
        """The file with the submission times of an assignment."""
        return self.times.get(assignment) if isinstance(self.times, dict) else self.times

    @property
    def all_times(self) -> tuple[Path, ...]:
        """Every file with submission times."""
        return tuple(self.times.values()) if isinstance(self.times, dict) else (self.times,) if self.times else ()


class ContainerConfig(StrictModel):
    """The container for `isolation: container`."""

    engine: Literal["auto", "podman", "docker"] = Field(
        "auto", description="The container engine; auto uses podman if it is installed, otherwise Docker."
    )
    image: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\s-]\S*$")] = Field(
        "localhost/gradetape:latest", description="The name of the image; `gradetape image build` builds it."
    )
    per: Literal["slot", "submission"] = Field(
        "slot", description="slot: one container grades one submission after another; submission: a new one for each."
    )


class Config(StrictModel):
    """The settings of a course."""

    course: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        "Untitled course", description="The title of the course, shown on every page."
    )
    keras: Literal[3, "legacy"] = Field(
        3, description="The Keras version for submissions: 3, or legacy for Keras 2 (tf-keras)."
    )
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = Field(
        "auto",
        description="Number of submissions, or parts of one, to grade at the same time; auto is one per processor.",
    )
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="Where TensorFlow computes; gpu requires a GPU, auto uses one if there is one."
    )
    workers_per_gpu: int = Field(
        1, ge=1, le=64, description="Number of submissions that share a GPU, or a MIG slice, at the same time."
    )
    engine: Literal["local", "ray"] = Field(
        "local",
        description="Where jobs are judged: local workers on this machine, or the machines of a Ray cluster, which "
        "needs pip install 'gradetape[ray]'.",
    )
    isolation: Literal["namespaces", "container", "none"] = Field(
        "namespaces", description="The sandbox for students' code; none is only for code that you trust."
    )
    container: ContainerConfig = Field(ContainerConfig(), description="The container for isolation: container.")
    results: Annotated[Path, Field(strict=False), AfterValidator(_results_folder)] = Field(
        Path("results"), description="The folder for the gradebook and the reports, relative to the course folder."
    )
    gradebook: Annotated[str, AfterValidator(_database_url)] | None = Field(
        None,
        description="The URL of a database; by default grades are stored in gradebook.sqlite in the results folder. "
        "Put a password into PGPASSWORD or a .pgpass file.",
    )
    roster: RelativePath | None = Field(
        None,
        description="The class list, relative to the course folder: a CSV file with the columns name, id, email, "
        "login, section and others, or a learning platform's own file of grades.",
    )
    roster_map: RelativePath | None = Field(
        None,
        description="A CSV file that says whose a submission is where the class list cannot: columns submission (a "
        "name or id as in the download) and student (an id, login, email or name of the class list, or nothing to "
        "leave the submission out).",
    )
    late: LatePolicy = Field(
        LatePolicy(), description="The penalty for late submissions; a submission without a time has none."
    )
    limits: LimitsConfig = Field(LimitsConfig(), description="The limits of one submission.")


def load(path: Path) -> Config:
    """Read `grader_config.yml`. Raises ConfigError with every wrong line."""
    return read(path, Config)


def schema() -> dict[str, Any]:
    """The JSON schema of `grader_config.yml`, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def commented() -> str:
    """The text of a configuration file that sets nothing and shows every key with its default and description."""
    return _HEAD + "".join(_commented(Config, ""))


def _commented(model: type[StrictModel], indent: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = mapping_in(field)
        yield "\n" if not indent else ""
        yield from (f"## {indent}{line}\n" for line in textwrap.wrap(field.description or "", 115))
        yield f"# {indent}{name}:{'' if inner else ' ' + default_text(field)}".rstrip() + "\n"
        if inner:
            yield from _commented(inner, indent + "  ")


def default_text(field: FieldInfo) -> str:
    """The default of a key as YAML text; empty if there is none."""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
