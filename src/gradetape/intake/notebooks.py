"""Reads the bytes of a notebook, a script or a zip into cells of text, without running or writing anything.

The bytes may be hostile. A linear scan first enforces the caps on how deep the JSON nests and how many values it holds
(`[[],[],…]` needs twenty times its size as Python objects). Then the JSON is parsed. Of a notebook, only the text of
its code cells, their tags, the answers to written questions and the assignment's name are used; for an old format,
nbformat upgrades a skeleton of the code cells, without outputs. Every problem is a SubmissionError whose text is for
the student.
"""

from __future__ import annotations

import io
import json
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec
import nbformat
import numpy as np

from gradetape.course.source import CellKind, split
from gradetape.errors import SubmissionError
from gradetape.intake.kinds import decoded, refuse_disguised
from gradetape.intake.names import clean
from gradetape.intake.written import answers_in
from gradetape.records import Cell, WrittenAnswer

MAX_BYTES = 64 << 20
MAX_DEPTH = 200
MAX_VALUES = 3_000_000
MAX_CELLS = 5_000
MAX_CELL_LENGTH = 1 << 20
MAX_SCRIPT_LENGTH = 4 << 20
MAX_ENTRIES = 10_000
MAX_UNPACKED = 512 << 20
MAX_RATIO = 200
_MAX_COPIES = 20
SKIPPED_FOLDERS = frozenset({"__MACOSX", "__pycache__"})

SAVE_AGAIN = "Open it in Jupyter, save it again, and hand in that file."
CLEAR = "Choose 'Clear All Outputs' in Jupyter, save it, and hand in that file."
_MAX_NOTES = 5
_MAX_UNREAD = 20_000
_DEFINITION = re.compile(
    r"^(?:def|class)[ \t]+(?P<name>[A-Za-z_]\w{0,99})[ \t]*(?:\(.*)?:[ \t]*(?:#.*)?$", re.MULTILINE
)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_QUESTION = re.compile(r"question:(?P<id>q\d\d_[a-z0-9_]{1,100})(?![a-z0-9_])")
_ASSIGNMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class Parsed(msgspec.Struct, frozen=True):
    """The code cells of one file, the assignment that it declares, and what its student should know of it.

    `answers` are those to written questions.
    """

    cells: tuple[Cell, ...]
    assignment: str | None = None
    notes: tuple[str, ...] = ()
    answers: tuple[WrittenAnswer, ...] = ()


def parse(suffix: str, data: bytes) -> Parsed:
    """Read a file's bytes by its suffix. Raises SubmissionError."""
    if not data.strip():
        raise SubmissionError("The file is empty. Save the notebook, and hand it in again.")
    refuse_disguised(suffix.lower(), data)
    match suffix.lower():
        case ".ipynb":
            return notebook(data)
        case ".zip":
            return archive(data)
        case _:
            return Parsed(script_cells(decoded(data)))


def script_cells(text: str) -> tuple[Cell, ...]:
    """The code cells of a script, as `course.source` splits them; blank ones are left out.

    A marker such as `# %% tags=["question:q05_custom_loss"]` names the cell's question. Raises SubmissionError.
    """
    if len(text) > MAX_SCRIPT_LENGTH:  # each line may start a cell, which takes a hundred times its size
        raise SubmissionError(
            f"The script is longer than {MAX_SCRIPT_LENGTH:,} characters. Read such data from a file."
        )
    cells = (cell for cell in split(text) if cell.kind is CellKind.CODE)
    return _sound(Cell(source=cell.text, question=_question([cell.header]), script=True) for cell in cells)


def notebook(data: bytes) -> Parsed:
    """The code cells of a notebook in nbformat 2, 3 or 4. Raises SubmissionError."""
    text = decoded(data)
    _check_shape(data)
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        raise SubmissionError(f"The notebook is incomplete: its JSON is broken or cut off. {SAVE_AGAIN}") from None
    cells = _raw_cells(root)
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"The notebook has {len(cells):,} cells, and {MAX_CELLS:,} are allowed. Delete some.")
    code = (_cell(cell, number) for number, cell in enumerate(cells, 1))
    return Parsed(_sound(cell for cell in code if cell), _assignment(root), tuple(_unread(cells)), answers_in(cells))


def archive(data: bytes) -> Parsed:
    """The only notebook of a zip, such as the zip of otter's export, perhaps in several copies; nothing else is opened.

    Raises SubmissionError.
    """
    return notebook(_notebook_in(data))


def content(suffix: str, data: bytes) -> bytes:
    """The bytes of the notebook that a file holds: a zip's only one, else the file itself. Raises SubmissionError."""
    return _notebook_in(data) if suffix.lower() == ".zip" else data


def _notebook_in(data: bytes) -> bytes:
    if data.count(b"PK\x01\x02") > MAX_ENTRIES:
        raise SubmissionError(f"The zip has more than {MAX_ENTRIES:,} entries. Hand in the notebook itself.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            return _only_notebook(opened, len(data))
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise SubmissionError("The zip is damaged. Make it again, or hand in the notebook itself.") from None


def _check_shape(data: bytes) -> None:
    """Refuse JSON that is too deep or has too many values, block by block and before it is parsed.

    Brackets and commas count outside strings; a quote begins or ends a string unless it is escaped.
    """
    data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    depth, quoted, values = 0, 0, 0
    for start in range(0, len(data), 1 << 20):
        block = np.frombuffer(data, np.uint8, min(1 << 20, len(data) - start), start)
        inside = (np.cumsum(block == ord('"'), dtype=np.uint8) + quoted) & 1
        plain = np.where(inside, 0, block)
        opened = (plain == ord("[")) | (plain == ord("{"))
        closed = (plain == ord("]")) | (plain == ord("}"))
        levels = depth + np.cumsum(opened.astype(np.int8) - closed, dtype=np.int64)
        values += int(np.count_nonzero(opened | (plain == ord(","))))
        depth, quoted = int(levels[-1]), int(inside[-1])
        if levels.max() > MAX_DEPTH:
            raise SubmissionError(f"The notebook nests deeper than {MAX_DEPTH} levels. {SAVE_AGAIN}")
        if values > MAX_VALUES:
            raise SubmissionError(f"The notebook holds more than {MAX_VALUES:,} values in its outputs. {CLEAR}")


def _raw_cells(root: Any) -> list[Any]:
    """The cells as nbformat 4 has them."""
    version = root.get("nbformat") if isinstance(root, dict) else None
    if type(version) is not int or not 2 <= version <= 4:
        raise SubmissionError(f"The file is JSON, but not a notebook of format 2, 3 or 4. {SAVE_AGAIN}")
    cells = root.get("cells") if version == 4 else _upgraded(root, version)
    if not isinstance(cells, list):
        raise SubmissionError(f"The notebook has no list of cells. {SAVE_AGAIN}")
    return cells


def _upgraded(root: dict[str, Any], version: int) -> Any:
    skeleton = {"nbformat": version, "nbformat_minor": 0, "metadata": {"name": ""}}
    try:
        all_cells = [cell for sheet in root["worksheets"] for cell in sheet["cells"]]
        sheet = {"metadata": {}, "cells": [_skeleton(cell) for cell in all_cells[: MAX_CELLS + 1]]}
        old = nbformat.from_dict({**skeleton, "worksheets": [sheet]})  # type: ignore[no-untyped-call]
        return nbformat.convert(old, 4)["cells"]  # type: ignore[no-untyped-call]
    except Exception:  # nbformat raises all kinds of exceptions for malformed old notebooks
        raise SubmissionError(f"The notebook cannot be upgraded from format {version}. {SAVE_AGAIN}") from None


def _skeleton(cell: dict[str, Any]) -> dict[str, Any]:
    if cell.get("cell_type") != "code":
        return {"cell_type": "markdown", "metadata": {}, "source": ""}
    empty = {"cell_type": "code", "metadata": {}, "language": "python", "collapsed": False, "outputs": []}
    return {**empty, "input": _joined(cell.get("input"))}


def _cell(cell: Any, number: int) -> Cell | None:
    """One code cell; None for any other."""
    if not isinstance(cell, dict):
        raise SubmissionError(f"Cell {number} of the notebook is malformed. {SAVE_AGAIN}")
    if cell.get("cell_type") != "code":
        return None
    source = _joined(cell.get("source"))
    if source is None:
        raise SubmissionError(f"Cell {number} of the notebook has no text. {SAVE_AGAIN}")
    return Cell(source=source, question=_question(_dig(cell, "metadata", "tags")))


def _unread(cells: list[Any]) -> Iterator[str]:
    """Notes on cells that look like answers and are not code cells, so that nobody runs them."""
    texts = [(number, cell, _joined(cell.get("source")) or "") for number, cell in enumerate(cells, 1)]
    found = [(number, cell, name) for number, cell, text in texts if (name := _defined(cell, text))]
    for number, cell, name in found[:_MAX_NOTES]:
        kind = "Markdown" if cell["cell_type"] == "markdown" else "raw"
        yield f"Cell {number} defines {name}, but is a {kind} cell, which is not run. Change its type to Code."
    if not any(cell.get("cell_type") == "code" and text.strip() for _, cell, text in texts):
        yield "The notebook has no code: all its code cells are empty, or it has none."


def _defined(cell: dict[str, Any], text: str) -> str | None:
    """The first function or class in the text of a cell that is not code; what stands in a code block is an example."""
    if cell.get("cell_type") not in ("markdown", "raw"):
        return None
    match = _DEFINITION.search(_FENCED.sub("", text[:_MAX_UNREAD]))
    return match["name"] if match else None


def _joined(source: Any) -> str | None:
    lines = source if isinstance(source, list) else [source]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else None


def _question(tags: Any) -> str | None:
    if not isinstance(tags, list):
        return None
    found = (_QUESTION.search(tag) for tag in tags if isinstance(tag, str))
    return next((match["id"] for match in found if match), None)


def _assignment(root: dict[str, Any]) -> str | None:
    for name in (_dig(root, "metadata", "gradetape", "assignment"), _dig(root, "metadata", "otter", "assignment_name")):
        if isinstance(name, str) and _ASSIGNMENT.fullmatch(name):
            return name
    return None


def _dig(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _sound(cells: Iterator[Cell]) -> tuple[Cell, ...]:
    """The cells that are not blank. Raises SubmissionError if Python could not read one of them."""
    kept = tuple(cell for cell in cells if cell.source.strip())
    if len(kept) > MAX_CELLS:
        raise SubmissionError(f"The file has {len(kept):,} cells, and {MAX_CELLS:,} are allowed. Delete some.")
    for number, cell in enumerate(kept, 1):
        where = f"Code cell {number}"
        if len(cell.source) > MAX_CELL_LENGTH:
            raise SubmissionError(f"{where} is longer than {MAX_CELL_LENGTH:,} characters. Read such data from a file.")
        if "\0" in cell.source or any("\ud800" <= letter <= "\udfff" for letter in set(cell.source)):
            raise SubmissionError(
                f"{where} holds a character that is not text (NUL or half of a surrogate pair). Type it again."
            )
    return kept


def _only_notebook(archive: zipfile.ZipFile, packed: int) -> bytes:
    entries = archive.infolist()
    _check_entries(entries, packed)
    notebooks = [entry for entry in entries if _is_notebook(entry)]
    if len(notebooks) > 1 and not _are_copies(archive, notebooks):
        names = ", ".join(clean(entry.filename) for entry in notebooks[:5])
        raise SubmissionError(
            f"The zip holds {len(notebooks)} notebooks ({names}), expected one. Hand in the right one by itself, "
            "or unpack the zip and grade the folder."
        )
    if not notebooks:
        raise SubmissionError("The zip holds no notebook (a zip inside it is not opened). Hand in the notebook itself.")
    return _unpacked(archive, notebooks[0])


def _are_copies(archive: zipfile.ZipFile, notebooks: list[zipfile.ZipInfo]) -> bool:
    """Whether all notebooks of a zip are the same bytes; only then all of them are opened."""
    first = notebooks[0]
    if any((each.CRC, each.file_size) != (first.CRC, first.file_size) for each in notebooks):
        return False
    data = _unpacked(archive, first)
    return all(_unpacked(archive, each) == data for each in notebooks[1:_MAX_COPIES]) and len(notebooks) <= _MAX_COPIES


def path_in_zip(name: str) -> PurePosixPath:
    """The path of an entry; Windows programs write backslashes between its folders."""
    return PurePosixPath(name.replace("\\", "/"))


def _check_entries(entries: list[zipfile.ZipInfo], packed: int) -> None:
    for entry in entries:
        name = clean(entry.filename)
        path = path_in_zip(entry.filename)
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename[:2]:
            raise SubmissionError(f"The zip's {name} has a path outside the zip. Hand in the notebook itself.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise SubmissionError(f"The zip's {name} is a link. Hand in the notebook itself.")
    if sum(entry.file_size for entry in entries) > min(MAX_UNPACKED, max(MAX_RATIO * packed, MAX_CELL_LENGTH)):
        raise SubmissionError("The zip would unpack to far more than its size. Hand in the notebook itself.")


def _is_notebook(entry: zipfile.ZipInfo) -> bool:
    path = path_in_zip(entry.filename)
    hidden = any(part.startswith(".") or part in SKIPPED_FOLDERS for part in path.parts)
    return path.suffix.lower() == ".ipynb" and not hidden and not entry.is_dir()


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 1:
        raise SubmissionError("The zip is protected by a password. Hand in the notebook itself.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SubmissionError("The zip uses an unusual compression. Make it again, or hand in the notebook itself.")
    with archive.open(entry) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SubmissionError(f"The zip's notebook is larger than {MAX_BYTES >> 20} MiB. {CLEAR}")
    return data
