"""Reads `grader_config.yml` into a `Config`: once, typed and frozen.

Every YAML file of a course is read with `read`. An error names the line of its key, and all errors of a file are
reported together. `python -m gradetape.course.config` prints the JSON schema for editors.
"""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from gradetape import records
from gradetape.course.check_files import CONFIG_FILE
from gradetape.errors import ConfigError
from gradetape.text import composed

FILE = CONFIG_FILE
_HEAD = """\
## The settings of this course. A key after '# ' has its default value: remove the '# ' to change it, and for a key in a
## group also the '# ' of the group's line. A line that starts with '##' describes the next key.
"""
COURSE_FOLDERS = ("assignments", "solutions", "autograder", "student")

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class StrictModel(BaseModel):
    """A mapping of a YAML file: unknown keys are errors, values are not converted, and instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
    engine: Literal["local"] = Field("local", description="Where jobs are judged: local workers on this machine.")
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


_ALLOWED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "too_short": "a list of at least {min_length}",
    "string_too_short": "text of at least {min_length} character",
    "string_too_long": "text of at most {max_length} characters",
    "finite_number": "a finite number",
    "bool_type": "true or false",
}

Model = TypeVar("Model", bound=StrictModel)


def load(path: Path) -> Config:
    """Read `grader_config.yml`. Raises ConfigError with every wrong line."""
    return read(path, Config)


def schema() -> dict[str, Any]:
    """The JSON schema of `grader_config.yml`, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def commented() -> str:
    """The text of a configuration file that sets nothing and shows every key with its default and description."""
    return _HEAD + "".join(_commented(Config, ""))


def every_key(model: type[StrictModel] = Config, above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key by its dotted name, such as `limits.cell_s`, with its field; a group before its keys."""
    for name, field in model.model_fields.items():
        yield above + name, field
        if (inner := _mapping(field)) is not None:
            yield from every_key(inner, f"{above}{name}.")


def read(path: Path, model: type[Model], *, shown: str | None = None) -> Model:
    """Read a YAML file strictly; `shown` is its name in errors. Raises ConfigError."""
    name = shown or path.name
    data = _loaded(_text(path, name), name)
    if data is not None and not isinstance(data, CommentedMap):
        raise ConfigError(f"{name}, line 1: the file should be a mapping, with lines such as 'key: value'.")
    return _validated(CommentedMap() if data is None else data, model, name)


def read_list(path: Path, model: type[Model], *, shown: str | None = None) -> tuple[tuple[int, Model], ...]:
    """Read a YAML file that is a list of mappings: each entry with the number of its line. Raises ConfigError."""
    name = shown or path.name
    data = _loaded(_text(path, name), name)
    if data is None:
        return ()
    if not isinstance(data, CommentedSeq):
        raise ConfigError(f"{name}, line 1: the file should be a list, with entries that begin with '- '.")
    found: list[tuple[int, Model]] = []
    problems: list[str] = []
    for index, entry in enumerate(data):
        line = data.lc.item(index)[0] + 1
        try:
            found.append((line, _validated(entry, model, name, line)))
        except ConfigError as problem:
            problems.append(str(problem))
    if problems:
        raise ConfigError("\n".join(problems))
    return tuple(found)


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """` Did you mean 'limits'?`, or an empty text if no name is similar."""
    near = difflib.get_close_matches(word, list(names), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


class _Constructor(RoundTripConstructor):
    """Keeps dates as text, so that the time zone of a deadline is not lost, and also text that looks like a number."""


def _or_text(construct: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def constructed(constructor: Any, node: Any) -> Any:
        try:
            return construct(constructor, node)
        except (ValueError, IndexError):  # as for `._` and `-_`
            return node.value

    return constructed


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)
_Constructor.add_constructor("tag:yaml.org,2002:int", _or_text(RoundTripConstructor.construct_yaml_int))
_Constructor.add_constructor("tag:yaml.org,2002:float", _or_text(RoundTripConstructor.construct_yaml_float))


def _mapping(field: FieldInfo) -> type[StrictModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, StrictModel) else None


def _commented(model: type[StrictModel], indent: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = _mapping(field)
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


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as problem:
        raise ConfigError(f"{name} cannot be read: {problem.strerror}. It should be at {path}.") from None


def _loaded(text: str, name: str) -> Any:
    yaml = YAML()
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except YAMLError as problem:
        raise ConfigError(_syntax_error(problem, text, name)) from None


def _validated(data: object, model: type[Model], name: str, line: int = 1) -> Model:
    """The model of a mapping that begins at this line."""
    if not isinstance(data, CommentedMap):
        raise ConfigError(f"{name}, line {line}: this entry should be a mapping, with lines such as 'key: value'.")
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        raise ConfigError(_explain(problem.errors(), data, model, name, line)) from None


def _syntax_error(problem: YAMLError, text: str, name: str) -> str:
    if isinstance(problem, MarkedYAMLError):
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else 1
        return f"{name}, line {line}: {problem.problem or problem.context}. Correct the YAML there."
    line = text.count("\n", 0, getattr(problem, "position", 0)) + 1
    return f"{name}, line {line}: {str(problem).splitlines()[0]}. Correct the YAML there."


def _explain(errors: list[ErrorDetails], data: CommentedMap, model: type[StrictModel], name: str, first: int) -> str:
    """One line for each wrong key; the errors of a union's branches are combined."""
    found: dict[tuple[int, str], list[ErrorDetails]] = {}
    for error in errors:
        found.setdefault(_locate(data, error["loc"], first), []).append(error)
    return "\n".join(
        f"{name}, line {line}: {_sentence(key, group, model)}" for (line, key), group in sorted(found.items())
    )


def _locate(data: CommentedMap, location: tuple[int | str, ...], line: int) -> tuple[int, str]:
    """The line, counted from 1, and the dotted key; a missing key has the line of the mapping that lacks it."""
    node: Any = data
    parts: list[str] = []
    for part in location:
        if isinstance(node, CommentedMap) and part not in node and len(parts) < len(location) - 1:
            break
        if not hasattr(node, "lc"):
            break
        parts.append(str(part))
        try:
            line = (node.lc.key(part) if isinstance(node, CommentedMap) else node.lc.item(part))[0] + 1
            node = node[part]
        except (KeyError, IndexError, TypeError):
            break
    return line, ".".join(parts)


def _sentence(key: str, group: list[ErrorDetails], model: type[StrictModel]) -> str:
    first = group[0]
    if first["type"] in ("extra_forbidden", "invalid_key"):
        allowed = _keys(model, first["loc"][:-1])
        unknown = str(first["loc"][-1])
        advice = _group(model, unknown) or did_you_mean(unknown, allowed) or f" The keys are {', '.join(allowed)}."
        return f"unknown key {unknown!r}.{advice}"
    if first["type"] == "missing":
        return f"{key!r} is missing. Add it."
    given = _shorten(first["input"])
    if first["type"] == "value_error":
        return f"{key!r} is {given}: {first['msg'].removeprefix('Value error, ')}."
    values = " or ".join(dict.fromkeys(map(_allowed, group)))
    return f"{key!r} is {given}; it should be {values}."


def _group(model: type[StrictModel], name: str) -> str:
    """A hint for a key that is outside its group."""
    groups = [above for above, _, key in (known.rpartition(".") for known, _ in every_key(model)) if key == name]
    return f" It belongs under {groups[0]}:." if groups and groups[0] else ""


def _shorten(given: object) -> str:
    text = "empty" if given is None else repr(given)
    return text if len(text) <= 80 else text[:77] + "..."


def _allowed(error: ErrorDetails) -> str:
    """The allowed values, in words."""
    template = _ALLOWED.get(error["type"])
    if template is None:
        return error["msg"].removeprefix("Input should be ")
    return template.format(**error.get("ctx", {}))


def _keys(model: type[StrictModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed in the mapping at `location`."""
    current = model
    for part in location:
        if isinstance(part, str):  # a number is the place in a list
            current = _model_in(current.model_fields[part].annotation)
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    """The model in an annotation such as `tuple[Model, ...] | None`."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation if issubclass(annotation, StrictModel) else None
    return next(filter(None, map(_model_in, get_args(annotation))), None)


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
