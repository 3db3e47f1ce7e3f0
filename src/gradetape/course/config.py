"""Read `grader_config.yml` into a `Config`, which is typed and frozen.

`read` reads every YAML file of a course. It knows the line of each key, so that an error has its place, and it reports
all errors of a file together. `python -m gradetape.course.config` prints the JSON schema that editors use.
"""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from gradetape import records
from gradetape.course.check_files import CONFIG_FILE
from gradetape.errors import ConfigError

FILE = CONFIG_FILE
_HEAD = """\
## How this course is graded. A key behind '# ' has its default: take the '# ' away to change it, and for a key of a
## group from the line of the group too. Lines that begin with '##' say what the next key does.
"""
COURSE_FOLDERS = ("assignments", "solutions", "autograder", "student")

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class StrictModel(BaseModel):
    """A mapping of a YAML file, without unknown keys, conversions or later changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LimitsConfig(StrictModel):
    """What one submission may use. A limit that is not written here keeps its default."""

    load_s: Seconds = Field(60.0, description="Seconds for a worker to start.")
    cell_s: Seconds = Field(60.0, description="Seconds for one cell of a notebook.")
    check_s: Seconds = Field(20.0, description="Seconds for one check, unless the check asks for more.")
    submission_s: Seconds = Field(900.0, description="Seconds for everything that one submission does.")
    cell_cpu_s: Seconds | None = Field(
        None, description="CPU seconds of all processes together for one cell; twice cell_s where it is left out."
    )
    check_cpu_s: Seconds | None = Field(
        None,
        description="CPU seconds for one check, more for a check that asks for more time; twice check_s by default.",
    )
    submission_cpu_s: Seconds | None = Field(
        None, description="CPU seconds for everything that one submission does; twice submission_s by default."
    )
    memory_mb: int = Field(4096, ge=256, le=1_048_576, description="Mebibytes of memory for one worker.")
    disk_mb: int = Field(512, ge=1, le=1_048_576, description="Mebibytes in each of a worker's private folders.")
    processes: int = Field(128, ge=32, le=32_768, description="Processes and threads; TensorFlow needs 32 at least.")
    output_kb: int = Field(64, ge=1, le=65_536, description="Kibibytes that are kept of the text that is printed.")

    @model_validator(mode="after")
    def _whole_covers_parts(self) -> LimitsConfig:
        if self.submission_s < max(self.load_s, self.cell_s, self.check_s):
            raise ValueError("submission_s is less than load_s, cell_s or check_s, which could never be used up")
        return self

    def record(self) -> records.Limits:
        """The same limits as the record that the packages share."""
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


Time = Annotated[str, AfterValidator(_with_zone)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class LatePolicy(StrictModel):
    """What late work costs. An assignment's deadline is in its assignment.yml."""

    grace_minutes: Annotated[float, Field(ge=0, le=10_080, allow_inf_nan=False)] = Field(
        0.0, description="So many minutes after the deadline cost nothing."
    )
    percent_per_day: Percent = Field(
        0.0, description="What each day that has begun after the deadline takes off the points, in percent of them."
    )
    most_percent: Percent = Field(100.0, description="What lateness takes off at the most, in percent of the points.")
    times: Annotated[Path, Field(strict=False)] | None = Field(
        None,
        description="A CSV file, seen from the course's folder, that says when work was handed in: columns student, "
        "time (ISO, with its zone), and assignment where there are several.",
    )
    by_file: bool = Field(
        False, description="Where that file says nothing, the time at which the submitted file was last changed counts."
    )
    extensions: dict[str, dict[str, Time]] = Field(
        {}, description="Deadlines of single students: for each assignment, each student's name and time."
    )


class ContainerConfig(StrictModel):
    """The container for `isolation: container`."""

    engine: Literal["auto", "podman", "docker"] = Field(
        "auto", description="What runs it; auto takes podman where it is installed, else Docker."
    )
    image: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\s-]\S*$")] = Field(
        "localhost/gradetape:latest", description="The image, as `gradetape image build` made it."
    )
    per: Literal["lane", "submission"] = Field(
        "lane", description="Whether a container serves a lane's submissions in turn, or each has one of its own."
    )


class Config(StrictModel):
    """Everything that a course can set."""

    course: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        "Untitled course", description="The course's title, shown above every page."
    )
    keras: Literal[3, "legacy"] = Field(
        3, description="The Keras that submissions run under: 3, or legacy for Keras 2 (tf-keras)."
    )
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = Field(
        "auto", description="How many submissions are graded side by side; auto looks at the machine."
    )
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="Where TensorFlow computes. With gpu, a machine without one is refused."
    )
    workers_per_gpu: int = Field(
        1, ge=1, le=64, description="How many submissions share a GPU, or a MIG slice, at a time."
    )
    engine: Literal["local"] = Field("local", description="Where jobs are judged: local workers on this machine.")
    isolation: Literal["namespaces", "container", "none"] = Field(
        "namespaces", description="The walls around a student's code; none is for code that you trust."
    )
    container: ContainerConfig = Field(ContainerConfig(), description="The container for isolation: container.")
    results: Annotated[Path, Field(strict=False), AfterValidator(_results_folder)] = Field(
        Path("results"), description="The folder for the gradebook and the reports, seen from the course's folder."
    )
    gradebook: Annotated[str, AfterValidator(_database_url)] | None = Field(
        None,
        description="A database's URL. Without it the grades are in gradebook.sqlite in the results folder. "
        "Leave a password to PGPASSWORD or to a .pgpass file.",
    )
    late: LatePolicy = Field(LatePolicy(), description="What late work costs; without a time of handing in, nothing.")
    limits: LimitsConfig = Field(LimitsConfig(), description="What one submission may use.")


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
    """A configuration file that sets nothing, and shows every key with its default and what it does."""
    return _HEAD + "".join(_commented(Config, ""))


def every_key(model: type[StrictModel] = Config, above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key in full, such as `limits.cell_s`, with its field; a group comes before its keys."""
    for name, field in model.model_fields.items():
        yield above + name, field
        if (inner := _mapping(field)) is not None:
            yield from every_key(inner, f"{above}{name}.")


def read(path: Path, model: type[Model], *, shown: str | None = None) -> Model:
    """Read a YAML file strictly; `shown` is how errors call it. Raises ConfigError."""
    name = shown or path.name
    data = _parse(_text(path, name), name)
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        raise ConfigError(_explain(problem.errors(), data, model, name)) from None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """` Did you mean 'limits'?`, or an empty text where no name is similar."""
    near = difflib.get_close_matches(word, list(names), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


class _Constructor(RoundTripConstructor):
    """Keeps as text a date, whose zone must not be lost, and a text that only looks like a number."""


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
    """A key's default in YAML, or an empty text where there is none."""
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


def _parse(text: str, name: str) -> CommentedMap:
    yaml = YAML()
    yaml.Constructor = _Constructor
    try:
        data = yaml.load(text)
    except YAMLError as problem:
        raise ConfigError(_syntax_error(problem, text, name)) from None
    if data is None:
        return CommentedMap()
    if not isinstance(data, CommentedMap):
        raise ConfigError(f"{name}, line 1: the file should be a mapping, with lines such as 'key: value'.")
    return data


def _syntax_error(problem: YAMLError, text: str, name: str) -> str:
    if isinstance(problem, MarkedYAMLError):
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else 1
        return f"{name}, line {line}: {problem.problem or problem.context}. Correct the YAML there."
    line = text.count("\n", 0, getattr(problem, "position", 0)) + 1
    return f"{name}, line {line}: {str(problem).splitlines()[0]}. Correct the YAML there."


def _explain(errors: list[ErrorDetails], data: CommentedMap, model: type[StrictModel], name: str) -> str:
    """One line for each wrong key; errors in the branches of a union make one line."""
    found: dict[tuple[int, str], list[ErrorDetails]] = {}
    for error in errors:
        found.setdefault(_locate(data, error["loc"]), []).append(error)
    return "\n".join(
        f"{name}, line {line}: {_sentence(key, group, model)}" for (line, key), group in sorted(found.items())
    )


def _locate(data: CommentedMap, location: tuple[int | str, ...]) -> tuple[int, str]:
    """The line, counted from 1, and the dotted key; a missing key has the line of the mapping that should hold it."""
    node: Any = data
    line = 1
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
    """Advice where a key is outside of its group."""
    groups = [above for above, _, key in (known.rpartition(".") for known, _ in every_key(model)) if key == name]
    return f" It belongs under {groups[0]}:." if groups and groups[0] else ""


def _shorten(given: object) -> str:
    text = "empty" if given is None else repr(given)
    return text if len(text) <= 80 else text[:77] + "..."


def _allowed(error: ErrorDetails) -> str:
    """What a value may be, in words."""
    template = _ALLOWED.get(error["type"])
    if template is None:
        return error["msg"].removeprefix("Input should be ")
    return template.format(**error.get("ctx", {}))


def _keys(model: type[StrictModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed in the mapping at `location`."""
    current: Any = model
    for part in location:
        current = current.model_fields[str(part)].annotation
    return list(current.model_fields)


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
