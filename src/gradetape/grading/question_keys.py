"""The key of a question's result: a digest of everything that decides it.

    cells        the submission's code cells in their order, and which of them answer the question
    checks       the code of the question's checks, without comments, formatting, titles, hints and points
    reference    the reference solutions, where a check of the question may use them
    budget       how much data the submission may send, where the reference sends so much that it decides
    files        the files of the assignment that lie beside the notebook: any cell may read them
    seed         the course's secret seed
    limits, keras, sandbox, versions, grader
                 how it is judged: the limits, the Keras generation, the isolation and device, the installed software,
                 and gradetape's own code that judges

The student, the file's name, outputs of cells, prompts, titles, hints and points are not among them.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

import gradetape
from gradetape.course.check_code import QuestionCode, question_codes
from gradetape.course.digests import digest_of, digest_of_joined, joined
from gradetape.course.gradable import GradableAssignment
from gradetape.records import Cell, Environment
from gradetape.remote.budget import bytes_for

# The packages whose code runs a check, in the judge and in the workers.
_RUNNING = ("checks", "engine", "judge", "records.py", "remote", "runtime", "sandbox", "wire", "worker")
_REFERENCE = "the reference solution"


class QuestionKey(msgspec.Struct, frozen=True):
    """The digest under which a question's result is stored, and the digest of each thing that decides it, by name."""

    question: str
    digest: str
    parts: dict[str, str]


class _Settled:
    """Makes the keys of one question, of which only the cells differ from submission to submission."""

    def __init__(self, assignment: str, question_id: str, parts: dict[str, str]) -> None:
        self._question_id = question_id
        self._parts = parts
        named = [(name, f"{name}={part}") for name, part in sorted(parts.items())]
        before, after = ([text for name, text in named if (name < "cells") is first] for first in (True, False))
        self._before = joined([assignment, question_id, *before])
        self._after = joined(after)

    def key(self, cells: str) -> QuestionKey:
        """The key of the question for a submission with these cells."""
        digest = digest_of_joined([self._before, joined([f"cells={cells}"]), self._after])
        return QuestionKey(self._question_id, digest, {"cells": cells} | self._parts)


class QuestionKeys:
    """The keys of the results of one assignment's questions, in one environment.

    `learned` counts the calls of `learn`.
    """

    def __init__(self, gradable: GradableAssignment, environment: Environment) -> None:
        self._gradable = gradable
        self._environment = environment
        self._sent: dict[str, int] = {}
        self._settled: dict[str, _Settled] = {}
        self.learned = 0

    @cached_property
    def codes(self) -> Mapping[str, QuestionCode]:
        """The checks of every question, by question id."""
        return question_codes(self._gradable)

    def learn(self, sent_bytes: Mapping[str, int]) -> None:
        """Sets how many bytes the reference sends for each check; keys from before are no longer valid."""
        self._sent.update(sent_bytes)
        self._settled.clear()
        self.learned += 1

    def of(self, cells: Iterable[Cell], question_ids: Iterable[str]) -> tuple[QuestionKey, ...]:
        """The keys of a submission's questions; its cells are attributed here."""
        attributed = self._gradable.attributed(tuple(cells))
        texts = [digest_of([cell.source, *_as_script(cell)]) for cell in attributed]
        return tuple(self._settled_of(each).key(_cells(each, attributed, texts)) for each in question_ids)

    def of_reference(self, question_ids: Iterable[str]) -> tuple[QuestionKey, ...]:
        """The keys of what the reference solution itself gets."""
        cells = f"{_REFERENCE} {self.reference}"
        return tuple(
            _Settled(self._gradable.assignment.name, each, self._parts(each, "")).key(cells) for each in question_ids
        )

    def _settled_of(self, question_id: str) -> _Settled:
        """What decides the results of all submissions alike, until more is learned of the reference."""
        if question_id not in self._settled:
            parts = self._parts(question_id, self._budget(question_id))
            self._settled[question_id] = _Settled(self._gradable.assignment.name, question_id, parts)
        return self._settled[question_id]

    def _parts(self, question_id: str, budget: str) -> dict[str, str]:
        code = self.codes[question_id]
        uses = "reference" in code.fixtures
        own = {"checks": code.code, "reference": self.reference if uses else "", "budget": budget}
        return own | self.circumstances

    def _budget(self, question_id: str) -> str:
        """How many bytes may be sent for the question's checks, where that is not the least."""
        sent = {check: count for check, count in self._sent.items() if check.startswith(f"{question_id}::")}
        most = {check: bytes_for(count) for check, count in sent.items()}
        return " ".join(f"{check}={count}" for check, count in sorted(most.items()) if count != bytes_for(0))

    @cached_property
    def reference(self) -> str:
        """A digest of the code of the reference solutions."""
        return digest_of(_as_code(cell.source) for cell in self._gradable.reference)

    @cached_property
    def _files(self) -> str:
        files = self._gradable.assignment.student_files
        parts = (
            part for name in sorted(files) for part in (name, hashlib.sha256(files[name].read_bytes()).hexdigest())
        )
        return digest_of(parts) if files else ""

    @cached_property
    def circumstances(self) -> dict[str, str]:
        """What decides every result alike, by name: how checks are judged, and with what."""
        config, environment = self._gradable.course.config, self._environment
        return {
            "files": self._files,
            "seed": digest_of(["a course's seed", self._gradable.answer_key.seed().hex()]),
            "limits": msgspec.json.encode(config.limits.record()).decode(),
            "keras": str(config.keras),
            "sandbox": environment.identity,
            "versions": " ".join(f"{name}={number}" for name, number in sorted(environment.versions.items())),
            "grader": own_code(),
        }


def _cells(question_id: str, cells: Sequence[Cell], texts: Sequence[str]) -> str:
    own = ["own" if cell.question == question_id else "" for cell in cells]
    return digest_of(part for pair in zip(texts, own, strict=True) for part in pair)


def _as_script(cell: Cell) -> Sequence[str]:
    """What tells a script's cell from a notebook's, where that can matter."""
    return ["script"] if cell.script and "__file__" in cell.source else []


def _as_code(text: str) -> str:
    """A reference's cell without its comments, or its text if Python alone cannot parse it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        return text


def own_code() -> str:
    """A digest of gradetape's code that runs checks."""
    root = Path(gradetape.__file__).parent
    found = {path for name in _RUNNING for path in (root / name, *(root / name).rglob("*.py"))}
    return digest_of(path.read_text(encoding="utf-8") for path in sorted(found) if path.is_file())
