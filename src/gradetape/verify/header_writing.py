"""Writes what mutants were seen to do into their headers: the checks that they fail, and what they seem to break.

Only the lines of these keys are written; the rest of a file stays as it is. What was seen need not be what the author
meant, so the author must confirm it.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

from gradetape.course.answer_key import AnswerKey
from gradetape.course.source import PythonSource
from gradetape.errors import CourseError
from gradetape.verify.coverage import proposed_breaks
from gradetape.verify.mutants import Mutant, mutants_of
from gradetape.verify.patches import PatchedSource
from gradetape.verify.problems import not_run
from gradetape.verify.proof import Proof
from gradetape.verify.trials import Trial, short

_ORDER = ("name", "misconception", "breaks", "fails", "fails_legacy")
_COMMENT = {"breaks": "breaks", "fails": "fails", "fails_legacy": "fails (legacy)"}
_WIDTH = 110


class NewHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Values for the keys of a mutant's header; an empty one removes its key."""

    mutant: Mutant
    values: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        said = (f"{key}: {', '.join(value) or 'as without legacy Keras'}" for key, value in self.values.items())
        return f"{self.mutant.place}: {'; '.join(said)}"


class WrittenHeaders(msgspec.Struct, frozen=True):
    """The headers that were changed, and why others were not: what cannot be run, and what mutants did."""

    headers: tuple[NewHeader, ...]
    left: tuple[str, ...]


def write_headers(answer_key: AnswerKey, proof: Proof, *, legacy: bool) -> WrittenHeaders:
    """Writes the headers of the mutants that a proof has run.

    Raises CourseError if the reference does not pass every check, or if an entry is a mapping on one line.
    """
    if proof.rejected or any(trial.unloaded for trial in proof.of("reference")):
        raise CourseError(
            "The reference does not pass every check, so what mutants fail says nothing. No header was written; "
            "run gradetape verify to see the problems."
        )
    questions = dict.fromkeys(trial.question for trial in proof.of("mutant") if trial.question)
    mutants = {
        mutant.label: mutant
        for question in questions
        for mutant in mutants_of(answer_key, question, legacy=legacy, drafts=True)
    }
    trials = [(mutants[f"{trial.question}/{trial.name}"], trial) for trial in proof.of("mutant")]
    found = [_header(mutant, trial, proof, legacy) for mutant, trial in trials if _telling(trial)]
    headers = tuple(header for header in found if header.values)
    for path in dict.fromkeys(header.mutant.source.path for header in headers):
        _write(path, [header for header in headers if header.mutant.source.path == path])
    left = (_left(trial) for _, trial in trials if not _telling(trial))
    return WrittenHeaders(headers, (*not_run(proof), *left))


def _telling(trial: Trial) -> bool:
    return bool(set(trial.failed) - set(trial.possible)) and not trial.unloaded


def _left(trial: Trial) -> str:
    why = "does not run" if trial.unloaded else "fails no check: correct it, or add a check that it fails"
    return f"{trial.place}: it {why}"


def _header(mutant: Mutant, trial: Trial, proof: Proof, legacy: bool) -> NewHeader:
    """What differs from what is written."""
    failed = tuple(short(check) for check in trial.failed if check not in trial.possible)
    values: dict[str, tuple[str, ...]] = {}
    if not mutant.breaks:
        breaks = proposed_breaks([check for check in proof.checks if check.id in trial.failed])
        values |= {"breaks": breaks} if breaks else {}
    written = mutant.written
    key = "fails_legacy" if legacy and "fails" in written else "fails"
    same_as_otherwise = key == "fails_legacy" and set(written["fails"]) == set(failed)
    wanted = () if same_as_otherwise else failed
    if set(written.get(key, ())) != set(wanted):
        values[key] = wanted
    return NewHeader(mutant=mutant, values=values)


def _write(path: Path, headers: Sequence[NewHeader]) -> None:
    written = path.read_bytes()
    lines = [f"{line}\n" for line in PythonSource.read(path).text.removesuffix("\n").split("\n")]
    if path.suffix == ".py":
        edits = list(_python_edits(path, headers[0]))
    else:
        edits = list(_yaml_edits("".join(lines), headers))
    for start, end, new in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        lines[start:end] = new
    encoding = "utf-8-sig" if written.startswith(codecs.BOM_UTF8) else "utf-8"
    path.write_text("".join(lines), encoding=encoding, newline="\r\n" if b"\r\n" in written else "\n")


Edit = tuple[int, int, list[str]]


def _python_edits(path: Path, header: NewHeader) -> Iterator[Edit]:
    """New lines of a whole file's header: they replace those of the same key, or follow the docstring."""
    source = PythonSource.read(path)
    lines, docstring = source.text.split("\n"), source.tree.body[0]
    known = {key: [number for number, line in enumerate(lines) if _key_of(line) == key] for key in _COMMENT}
    end = docstring.end_lineno or 1
    inserted = [f"# {_COMMENT[key]}: {', '.join(value)}\n" for key, value in _sorted(header) if not known[key]]
    after = max([end, *(number + 1 for numbers in known.values() for number in numbers)])
    if inserted:
        yield after, after, inserted
    for key, value in header.values.items():
        for index, number in enumerate(known[key]):
            yield number, number + 1, [f"# {_COMMENT[key]}: {', '.join(value)}\n"] if value and index == 0 else []


def _sorted(header: NewHeader) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(header.values.items(), key=lambda item: _ORDER.index(item[0]))


def _key_of(line: str) -> str | None:
    """The key of a header's line in a whole file."""
    text = line.replace(" ", "").partition(":")[0]
    return next((key for key, shown in _COMMENT.items() if text == "#" + shown.replace(" ", "")), None)


def _yaml_edits(text: str, headers: Sequence[NewHeader]) -> Iterator[Edit]:
    """New lines for the entries of a list of patches."""
    entries, lines = YAML().load(text), text.split("\n")
    starts = [entries.lc.item(index)[0] for index in range(len(entries))]
    for header in headers:
        source = header.mutant.source
        assert isinstance(source, PatchedSource)
        index = starts.index(source.patch_line - 1)
        entry, end = entries[index], [*starts[1:], len(lines)][index]
        if entry.fa.flow_style():
            raise CourseError(f"{header}. Write it yourself: the entry is on one line, between braces")
        yield from _entry_edits(entry, end, lines, header)


def _entry_edits(entry: Any, end: int, lines: Sequence[str], header: NewHeader) -> Iterator[Edit]:
    starts = {key: entry.lc.key(key)[0] for key in entry}
    ends = {key: _end(lines, start, next(iter(_after(starts, start)), end)) for key, start in starts.items()}
    column = entry.lc.key(next(iter(entry)))[1]
    place = max(ends[key] for key in starts if key in ("name", "misconception"))
    inserted: list[str] = []
    for key, value in _sorted(header):
        new = _yaml_lines(key, value, column) if value else []
        if key in starts:
            first = lines[starts[key]][:column] + new[0][column:] if new else ""
            yield starts[key], ends[key], [first, *new[1:]] if new else []
        else:
            inserted += new
            place = max([place, *(ends[other] for other in _ORDER[: _ORDER.index(key)] if other in ends)])
    if inserted:
        yield place, place, inserted


def _after(starts: dict[str, int], start: int) -> list[int]:
    return sorted(other for other in starts.values() if other > start)


def _end(lines: Sequence[str], start: int, end: int) -> int:
    """The line after a value's last: blank lines and comments before the next key belong to that one."""
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _yaml_lines(key: str, value: Sequence[str], column: int) -> list[str]:
    indentation = " " * column
    line = f"{indentation}{key}: [{', '.join(value)}]"
    if len(line) <= _WIDTH:
        return [f"{line}\n"]
    return [f"{indentation}{key}:\n", *(f"{indentation}- {each}\n" for each in value)]
