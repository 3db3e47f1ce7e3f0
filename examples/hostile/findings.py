"""Compares results with the manifest: leaks, forged points, wrong verdicts, and disturbed honest submissions."""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from examples.hostile.corpus import Allowed, Attack, Entry, Manifest
from gradetape.records import Grade
from gradetape.remote.loader import AGAIN
from gradetape.report import page_name

_BREACH = re.compile(r"^BREACH:.*", re.MULTILINE)
_RAW = re.compile(r"<script>|<img |[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")
_FORGED = re.compile(r"needs attention: honest|for review: honest|98765 graded now")
_FORMULA = ("=", "+", "@", "\t", "\r")
_PAGE_BYTES = 1 << 20
_QUESTION = {"test_two": "q01", "test_any_number": "q01", "test_text_and_arrays": "q01", "test_three_times": "q02",
             "test_works_elsewhere": "q02", "test_three_and_four": "q03", "test_as_the_reference": "q03", "test_of_two": "q01", "test_as_a_graph": "q01",
             "test_the_same_graph": "q01", "test_in_a_graph": "q02", "test_a_word": "q03", "test_any_text": "q03"}  # fmt: skip


class Row(msgspec.Struct):
    """The result of one submission: its points, the allowed points, and all problems."""

    entry: Entry
    ended: str
    points: float = 0.0
    allowed: float = 0.0
    leaks: list[str] = []
    forged: list[str] = []
    wrong: list[str] = []
    disturbed: list[str] = []

    @property
    def problems(self) -> list[str]:
        """All problems."""
        return self.leaks + self.forged + self.wrong + self.disturbed


class Secrets(NamedTuple):
    """Values that must not be seen: `canary` and `seed` in a worker, `bait` on a page."""

    canary: str
    seed: str
    bait: str

    @classmethod
    def drawn(cls) -> Secrets:
        """New random secrets."""
        return cls(f"canary-{secrets.token_hex(16)}", secrets.token_hex(16), f"bait-{secrets.token_hex(16)}")


class Run(NamedTuple):
    """The output of one run of `gradetape grade`: its JSON by submission number, its grades, its pages.

    `printed` is the JSON as text, `shown` what `gradetape show` says of each student without the parts for staff.
    """

    status: int
    results: dict[int, dict[str, Any]]
    grades: dict[int, Grade]
    pages: dict[str, str]
    stderr: str
    seconds: float
    printed: str
    shown: dict[str, str]


def judged(entry: Entry, known: Manifest, alone: Run, run: Run, drawn: Secrets) -> Row:
    """One submission of a run, compared with its base alone and with the manifest."""
    found, grade = run.results.get(entry.number), run.grades.get(entry.number)
    own = 1 + list(known.bases).index(entry.base)
    if found is None:
        return Row(entry, "lost", wrong=["there is no result"])
    row = Row(entry, _ended(found, grade), found["points"], known.bases[entry.base])
    row.leaks = _leaks(entry, found, grade, run, drawn)
    if entry.attack is None:
        row.disturbed = _differences(alone.grades[own], grade)
        return row
    known_elsewhere = _known_elsewhere(entry.attack, grade)
    row.leaks = [leak for leak in row.leaks if not known_elsewhere(leak)]
    row.forged = _forged(found, alone.results[own], grade)
    row.wrong = [wrong for wrong in _wrong(entry, found, grade, alone.results[own]) if not known_elsewhere(wrong)]
    return row


def _known_elsewhere(attack: Attack, grade: Grade | None) -> Callable[[str], bool]:
    """Whether a problem is none with the layers that isolated this submission."""
    layers = grade.layers if grade else ()
    patterns = [pattern for layer in layers for pattern in attack.elsewhere.get(layer, ())]
    return lambda problem: any(re.fullmatch(pattern, problem) for pattern in patterns)


def _verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["verdict"] for question in found["questions"].values() for check in question["checks"]}


def _ended(found: dict[str, Any], grade: Grade | None) -> str:
    if found["status"] == "unreadable":
        return "unreadable"
    counts = Counter(_verdicts(found).values())
    cells = [_cell_end(event.kind, event.text) for event in grade.events] if grade else []
    checks = [f"{count} {name}" for name, count in counts.items()]
    return ", ".join([*checks, *(f"a cell {cell}" for cell in dict.fromkeys(cells) if cell)])


def _cell_end(kind: str, text: str) -> str:
    if text == AGAIN:
        return "again"
    return re.split(r"[:;]", text)[0] if kind == "quarantined" else "error" if kind == "error" else ""


def _leaks(entry: Entry, found: dict[str, Any], grade: Grade | None, run: Run, drawn: Secrets) -> list[str]:
    shown = (
        json.dumps(found, ensure_ascii=False) + run.pages[f"students/{entry.assignment}/{page_name(found['student'])}"]
    )
    # Honest submissions hold the canary themselves, so that others can try to read it.
    record = msgspec.json.encode(msgspec.structs.replace(grade, cells=())).decode() if grade else ""
    texts = [event.text for event in grade.events] if grade else []
    texts += [text for result in grade.results for text in (result.message, result.staff_message)] if grade else []
    leaks = [f"the {name}" for name in ("canary", "seed") if getattr(drawn, name) in shown + record]
    leaks += ["a hidden input on the student's page"] if drawn.bait in shown else []
    return leaks + sorted({breach for text in texts for breach in _BREACH.findall(text)})


def _differences(expected: Grade, grade: Grade | None) -> list[str]:
    """The differences of an honest submission's result from its result without attacks."""
    if grade is None:
        return ["it has no grade"]
    pairs = zip(_signature(expected), _signature(grade), strict=False)
    return [f"{was} became {now}" for was, now in pairs if was != now]


def _signature(grade: Grade) -> list[Any]:
    results = [(result.check.name, str(result.verdict), result.points, result.message) for result in grade.results]
    return [
        str(grade.status),
        grade.layers,
        grade.review,
        *results,
        *((event.kind, event.text) for event in grade.events),
    ]


def _forged(found: dict[str, Any], base: dict[str, Any], grade: Grade | None) -> list[str]:
    if found["status"] == "unreadable" or (grade is not None and (grade.attention or grade.review)):
        return []
    own = _verdicts(base)
    gained = [name for name, verdict in _verdicts(found).items() if verdict == "passed" and own[name] != "passed"]
    return [f"a point for {name}" for name in gained] + (
        ["more points than allowed"] if found["points"] > base["points"] else []
    )


def _wrong(entry: Entry, found: dict[str, Any], grade: Grade | None, base: dict[str, Any]) -> list[str]:
    attack = entry.attack
    assert attack is not None
    if attack.unreadable or found["status"] == "unreadable":
        reason = found.get("reason", "it was graded")
        right = attack.unreadable and re.search(attack.unreadable, reason)
        return [] if right else [f"unreadable should be because of {attack.unreadable!r}, and is because: {reason}"]
    if grade is None or grade.attention:
        return ["needs attention: " + "; ".join(grade.attention if grade else ("it has no grade",))]
    allowed = _allowed(attack.verdicts, _verdicts(base))
    wrong = [f"{name} is {verdict}, not {' or '.join(allowed[name])}"
             for name, verdict in _verdicts(found).items() if verdict not in allowed[name]]  # fmt: skip
    cells = {end for event in grade.events if (end := _cell_end(event.kind, event.text))} or {"runs"}
    wrong += [] if cells <= set(_several(attack.cell)) else [f"its cells: {', '.join(sorted(cells))}"]
    return wrong + (["it is not marked for review"] if attack.review and not grade.review else [])


def _allowed(verdicts: Allowed | dict[str, Allowed], base: dict[str, str]) -> dict[str, list[str]]:
    """The allowed verdicts of each check."""
    found = {}
    for name, own in base.items():
        some = verdicts.get(name, verdicts.get(_QUESTION[name], own)) if isinstance(verdicts, dict) else verdicts or own
        found[name] = _several(some)
    return found


def _several(some: Allowed) -> list[str]:
    return [some] if isinstance(some, str) else some


def of_batch(made: Sequence[Entry], run: Run, drawn: Secrets) -> list[str]:
    """The problems of the batch as a whole."""
    missing = {entry.number for entry in made} - run.results.keys()
    problems = [f"{len(missing)} submissions have no result: {sorted(missing)}"] if missing else []
    problems += [f"exit status {run.status}"] if run.status not in (0, 1) else []
    problems += ["Traceback in the grader's own output"] if "Traceback" in run.stderr else []
    problems += _found(run, drawn)
    problems += [f"{name} has {len(text) >> 10} kB" for name, text in run.pages.items()
                 if name.startswith("students/") and len(text) > _PAGE_BYTES]  # fmt: skip
    problems += [f"a forged line: {line}" for line in re.split("[\n\r\x85\u2028]", run.stderr) if _FORGED.match(line)]
    for name, text in {**run.pages, "what the grader prints": run.stderr}.items():
        raw = set(_RAW.findall(text)) if name.endswith(".html") else set(_RAW.findall(text)) - {"<script>", "<img "}
        problems += [f"{name} has {sorted(raw)} in it"] if raw else []
    cells = [cell for row in csv.reader(io.StringIO(run.pages["grades.csv"])) for cell in row]
    problems += [f"a formula in grades.csv: {cell}" for cell in cells if cell.startswith(_FORMULA)]
    return problems


def _found(run: Run, drawn: Secrets) -> list[str]:
    """The secrets in anything that the grader has written; a hidden input may stand where only staff look."""
    texts = {**run.pages, **run.shown, "the JSON": run.printed, "what the grader prints": run.stderr}
    return [
        f"the {secret} is in {name}"
        for name, text in texts.items()
        for secret, value in drawn._asdict().items()
        if value in text and not (secret == "bait" and name.startswith("staff/"))
    ]
