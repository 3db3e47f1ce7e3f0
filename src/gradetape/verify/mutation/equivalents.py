"""Generated mutants that behave like the solution that they were made from, listed with the reason.

An entry of `equivalents/QUESTION.yml` names the changed lines and not their numbers, so it stays right when other lines
of the solution change.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from gradetape.course.gradable import GradableAssignment
from gradetape.course.strict_yaml import StrictModel, read_list
from gradetape.verify.mutation.records import End, GeneratedMutant, LineChange, Result
from gradetape.verify.patches import Text

_HEAD = """\
# Generated mutants that no check can fail, each with the reason. `gradetape verify --mutate` reads this file: an entry
# without a reason, one that matches no mutant and one whose mutant fails a check are errors.

"""
_EMPTY_LIST = re.compile(r"^\[\s*\]\s*\Z", re.MULTILINE)


class Equivalent(StrictModel):
    """An entry: the solution (the reference without `of`), the function, its changed lines, and the reason."""

    of: str = "reference"
    in_: str | None = Field(None, alias="in")
    replace: Text
    with_: Text = Field(alias="with")
    reason: str

    def matches(self, mutant: GeneratedMutant) -> bool:
        """Whether a mutant is the one that the entry describes."""
        place = self.of == mutant.solution and self.in_ in (None, mutant.function)
        return place and _plain(LineChange(self.replace, self.with_)) == _plain(mutant.change)


class ListedEquivalents(msgspec.Struct, frozen=True):
    """The entries of an assignment, each with the place where it is written and its question."""

    entries: tuple[tuple[str, str, Equivalent], ...]

    @classmethod
    def read(cls, gradable: GradableAssignment, question_ids: Sequence[str]) -> ListedEquivalents:
        """The entries for some questions. Raises ConfigError with every wrong line."""
        found: list[tuple[str, str, Equivalent]] = []
        for question_id in question_ids:
            path = gradable.answer_key.equivalents(question_id)
            shown = path.relative_to(gradable.course.root).as_posix()
            for line, entry in read_list(path, Equivalent, shown=shown) if path.is_file() else ():
                found.append((f"{shown}, line {line}", question_id, entry))
        return cls(tuple(found))

    def marked(self, results: Sequence[Result]) -> tuple[Result, ...]:
        """The results, in which listed survivors are equivalent."""
        return tuple(
            msgspec.structs.replace(result, end=End.EQUIVALENT)
            if result.end is End.SURVIVED and self._lists(result.mutant)
            else result
            for result in results
        )

    def problems(self, mutants: Sequence[GeneratedMutant], results: Sequence[Result]) -> Iterator[str]:
        """What is wrong with entries: of all generated `mutants`, only those in `results` were run."""
        for place, question_id, entry in self.entries:
            matching = [each for each in mutants if each.question == question_id and entry.matches(each)]
            ended = [each for each in results if each.mutant.question == question_id and entry.matches(each.mutant)]
            functions = sorted({each.function for each in matching})
            if not entry.reason.strip():
                yield f"{place}: add the reason why no check can fail this mutant, or write a check that fails it."
            if not matching:
                yield f"{place}: no generated mutant is this one any more. Remove the entry, or copy the new lines."
            elif len(functions) > 1:
                yield f"{place}: this mutant is in several functions. Add 'in:' with one of {', '.join(functions)}."
            for result in ended:
                if result.end in (End.FAILED, End.TIMEOUT):
                    yield f"{place}: this mutant is not equivalent: {result.check} fails it. Remove the entry."

    def _lists(self, mutant: GeneratedMutant) -> bool:
        return any(
            question_id == mutant.question and entry.reason.strip() and entry.matches(mutant)
            for _, question_id, entry in self.entries
        )


def append_survivors(gradable: GradableAssignment, survivors: Sequence[Result]) -> list[Path]:
    """Adds entries without a reason for survivors that have no entry, and returns the files that were written."""
    written: dict[Path, list[Equivalent]] = {}
    for result in survivors:
        path = gradable.answer_key.equivalents(result.mutant.question)
        if path not in written:
            listed = read_list(path, Equivalent, shown=str(path)) if path.is_file() else ()
            written[path] = [entry for _, entry in listed]
        if not any(entry.matches(result.mutant) for entry in written[path]):
            written[path].append(_append(path, result.mutant))
    return list(written)


def _append(path: Path, mutant: GeneratedMutant) -> Equivalent:
    change = _plain(mutant.change)
    entry: dict[str, Any] = {} if mutant.solution == "reference" else {"of": mutant.solution}
    if mutant.function:
        entry["in"] = mutant.function
    entry |= {"replace": _scalar(change.replace), "with": _scalar(change.by), "reason": ""}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _EMPTY_LIST.sub("", path.read_text(encoding="utf-8")) if path.is_file() else _HEAD
    path.write_text(
        f"{text.rstrip()}\n\n{_yaml([entry])}" if text != _HEAD else text + _yaml([entry]), encoding="utf-8"
    )
    return Equivalent.model_validate(entry)


def _scalar(text: str) -> str:
    return LiteralScalarString(text) if "\n" in text else text


def _yaml(entries: list[dict[str, Any]]) -> str:
    stream, yaml = io.StringIO(), YAML()
    yaml.width = 10_000
    yaml.dump(entries, stream)
    return stream.getvalue()


def _plain(change: LineChange) -> LineChange:
    """A change without its lines' common indentation."""
    return LineChange(*(_dedented(text) for text in (change.replace, change.by)))


def _dedented(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines()]
    return textwrap.dedent("\n".join(lines)).strip("\n").strip(" ")
