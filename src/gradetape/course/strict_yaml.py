"""Reads the YAML files of a course strictly: every wrong key and value is an error.

An error names the line of its key, and all errors of a file are reported together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from gradetape.errors import ConfigError
from gradetape.text import did_you_mean

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


class StrictModel(BaseModel):
    """A mapping of a YAML file: unknown keys are errors, values are not converted, and instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Model = TypeVar("Model", bound=StrictModel)


def every_key(model: type[StrictModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key by its dotted name, such as `limits.cell_s`, with its field; a group before its keys."""
    for name, field in model.model_fields.items():
        yield above + name, field
        if (inner := mapping_in(field)) is not None:
            yield from every_key(inner, f"{above}{name}.")


def mapping_in(field: FieldInfo) -> type[StrictModel] | None:
    """The model of a key whose value is a mapping with keys of its own."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, StrictModel) else None


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
