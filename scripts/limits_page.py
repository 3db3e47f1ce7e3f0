"""The page of limits and result fields, generated from the code when the site is built; mkdocs.yml names this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic.fields import FieldInfo

from gradetape.course import config
from gradetape.course.strict_yaml import every_key
from gradetape.intake import notebooks
from gradetape.records import CellEvent, CheckResult, Grade, Origin, Question, Unreadable
from gradetape.remote.budget import CHECK_BYTES, JUDGE_MB, bytes_for
from gradetape.wire import channel, codec, survey

# What each record holds, field by field; tests/test_docs.py compares the names with the records.
RESULTS: Mapping[type, Mapping[str, str]] = {
    Grade: {
        "assignment": "The assignment's name.",
        "student": "The student's name, from the file, its folder or `--student`.",
        "file": "The path of the graded file.",
        "sha256": "The SHA-256 digest of the file's bytes, in hexadecimal.",
        "key": "The digest of everything that decides the result: submission, checks, environment and policy.",
        "status": "`graded`, `needs_attention` or `unreadable`.",
        "isolation": "`namespaces`, `container` or `none`.",
        "questions": "The assignment's questions in order: id, title and points.",
        "results": "One check result for each check, in the assignment's order.",
        "events": "What happened in cells: errors, quarantined cells, names that are defined twice, output.",
        "notes": "Remarks on how the submission was read, for the student too.",
        "attention": "Why the grade is not final, and a person must look at the submission; empty if nobody must.",
        "review": "What the cells replaced of NumPy, TensorFlow, Keras and Python; for staff, changes no points.",
        "layers": "The isolation layers in force.",
        "devices": "The GPUs that TensorFlow saw.",
        "versions": "The versions of the software that graded, by package.",
        "seconds": "Seconds of wall clock time that grading took.",
        "modified": "When the file was last changed: an ISO time in UTC, or empty.",
        "origin": "What the learning platform says of the person and the time, if the file comes from one.",
        "cells": "The code that was graded; empty in grades of earlier versions. Not in the output of `grade --json`.",
        "concerns": "Why a person should look at a final grade: a missing package, no changed cell, a crash.",
    },
    Question: {
        "id": "The question's id, such as `q05_custom_loss`.",
        "title": "The first heading of the prompt.",
        "points": "What the question is worth.",
    },
    CheckResult: {
        "check": "The check: its question, name, whether it is public, title, hint and points.",
        "verdict": "How it ended; see [the verdicts](../architecture.md#verdicts).",
        "points": "The points earned.",
        "seconds": "Seconds of wall clock time that the check took.",
        "message": "The message for the student.",
        "staff_message": "The judge's own message, with hidden values; for staff.",
        "command": "The command that runs the check again; for staff.",
        "sentences": "At most three sentences of the prompt that a failed check proves; for the student too.",
        "basis": "What the verdict rests on, for staff: `evidence`, `cross-checked` or `testimony`.",
    },
    CellEvent: {
        "cell": "The code cell, counted from 0.",
        "kind": "`error`, `quarantined`, `copied` (an earlier cell defines the same name) or `output`.",
        "text": "The message or the output.",
        "question": "The id of the question that the cell answers, if known.",
    },
    Unreadable: {
        "student": "The student's name, from the file or its folder.",
        "file": "The path of the file.",
        "sha256": "The SHA-256 digest of the file's bytes, in hexadecimal.",
        "reason": "Why the file cannot be graded, and what to do next; for staff.",
        "for_student": "The reason in a form that the student may read, if it differs.",
        "origin": "What the learning platform says of the person and the time, if the file comes from one.",
        "modified": "When the file was last changed, of several the first: an ISO time in UTC, or empty.",
    },
    Origin: {
        "layout": "The layout of the folder, such as `canvas` or `moodle`.",
        "id": "The platform's id of the person, or empty.",
        "login": "The person's login on the platform, or empty.",
        "email": "The person's email address, or empty.",
        "section": "The person's section of the course, or empty.",
        "submitted": "When the platform received it: an ISO time with a time zone, or null.",
        "late": "The platform's own mark: true, false, or null if it has none.",
    },
}
_MIB = 1 << 20
FIXED = {
    "What students hand in": {
        "Size of a file": f"{notebooks.MAX_BYTES // _MIB} MiB",
        "Code cells": f"{notebooks.MAX_CELLS:,}",
        "Length of one cell": f"{notebooks.MAX_CELL_LENGTH:,} characters",
        "Length of a script": f"{notebooks.MAX_SCRIPT_LENGTH:,} characters",
        "Nesting of a notebook's JSON": f"{notebooks.MAX_DEPTH} levels",
        "Values in a notebook's JSON": f"{notebooks.MAX_VALUES:,}",
        "Entries of a zip": f"{notebooks.MAX_ENTRIES:,}",
        "Unpacked size of a zip": f"{notebooks.MAX_UNPACKED // _MIB} MiB; {notebooks.MAX_RATIO} times the packed size",
    },
    "What a worker sends to the judge": {
        "Body of one frame": f"{channel.MAX_BODY // _MIB} MiB",
        "Array buffers of one frame": f"{channel.MAX_BUFFERS:,}",
        "One frame in all": f"{channel.MAX_FRAME // _MIB} MiB",
        "All replies to one check": f"4 times the reference's bytes, or {bytes_for(0) // _MIB} MiB",
        "All replies of the reference to one check": f"{CHECK_BYTES // _MIB} MiB",
        "Memory of the judge of one submission": f"{JUDGE_MB} MiB",
        "Elements of one frame's body": f"{codec.MAX_ELEMENTS:,}",
        "Nesting of one frame": f"{survey.MAX_DEPTH} levels",
    },
    "What a check exchanges with a worker": {
        "Values of one message; use an array for more": f"{codec.MAX_VALUES:,}",
        "Size of one integer": f"{codec.MAX_INT_BYTES // 1024} KiB",
    },
}

_HEAD = """\
# Limits and result fields

## Limits that you can set

Set them under `limits` in `grader_config.yml`. Seconds are wall clock time unless the name contains `cpu`. CPU seconds
are the sum over all processes and cores.
"""
_FIXED = """\
A check that exceeds its time ends as `timeout`, and one that exceeds its memory as `memory`; the next check gets a
fresh worker. A full folder or too many processes raise an exception in the student's code; in the plain sandbox, a full
folder ends the worker. `@limit(seconds)` sets the
time of one check.

## Fixed limits

They protect the grader. A submission that exceeds one when it is read is unreadable, with the reason. A worker that
exceeds one is ended, and the check ends as `crashed`. A message that exceeds one is not sent, and raises an exception.
"""
_RESULTS = """\
## Result fields

The gradebook keeps these records. [JSON](json.md) and [the table of grades](table.md) describe what the commands print.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the page to the site."""
    files.append(File.generated(config, "reference/limits.md", content=page()))
    return files


def page() -> str:
    """Every limit and every result field."""
    fixed = "\n".join(_table(title, "| | at most |", rows) for title, rows in FIXED.items())
    fields = "\n".join(
        _table(record.__name__, "| field | holds |", {f"`{name}`": text for name, text in rows.items()})
        for record, rows in RESULTS.items()
    )
    return f"{_HEAD}\n{_settable()}\n{_FIXED}\n{fixed}\n{_RESULTS}\n{fields}"


def _settable() -> str:
    bounds = config.LimitsConfig.model_json_schema()["properties"]
    rows = "".join(
        f"| `{name}` | {_default(name, field)} | {_range(bounds[name])} | {field.description} |\n"
        for name, field in every_key(config.LimitsConfig)
    )
    return f"| limit | default | allowed | meaning |\n|---|---|---|---|\n{rows}"


def _default(name: str, field: FieldInfo) -> str:
    return config.default_text(field) or f"twice `{name.replace('_cpu', '')}`"


def _range(bounds: Mapping[str, Any]) -> str:
    bounds = bounds.get("anyOf", [bounds])[0]
    least = f"{bounds['minimum']:,}" if "minimum" in bounds else f"more than {bounds['exclusiveMinimum']:,}"
    return f"{least} to {bounds['maximum']:,}"


def _table(title: str, head: str, rows: Mapping[str, str]) -> str:
    lines = "".join(f"| {name} | {text} |\n" for name, text in rows.items())
    return f"### {title}\n\n{head}\n|---|---|\n{lines}"
