"""Keeps an engine warm between verifications, and knows which questions a saved file belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, OpenEngine
from gradetape.records import AssignmentBundle


class WarmEngine:
    """An engine that stays open: it starts again only for another configuration. A context manager."""

    def __init__(self, open_engine: OpenEngine) -> None:
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._configured: object = None
        self._bundle: AssignmentBundle | None = None

    def open(self, gradable: GradableAssignment, options: EngineOptions) -> AbstractContextManager[Engine]:
        """The engine with the checks as they are now; leaving the context does not close it."""
        bundle = gradable.bundle()
        configured = (gradable.course.config, gradable.secret_folders)
        if self._engine is None or configured != self._configured:
            self.close()
            self._engine = self._open_engine(gradable, options)
        elif bundle != self._bundle:
            self._engine.recollect(bundle)
        self._configured, self._bundle = configured, bundle
        return nullcontext(self._engine)

    def close(self) -> None:
        """Ends everything that was started; the next `open` starts it again."""
        if self._engine is not None:
            self._engine.close()
        self._engine = None

    def __enter__(self) -> WarmEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def watched(gradable: GradableAssignment) -> tuple[Path, ...]:
    """The folders whose files decide what a verification of the assignment finds."""
    key = gradable.answer_key
    return gradable.assignment.folder, key.solutions, key.autograder


def affected(gradable: GradableAssignment, paths: Iterable[Path]) -> tuple[str, ...] | None:
    """The questions that these files belong to, in order; None if a file belongs to the whole assignment."""
    found: set[str] = set()
    for path in paths:
        names = {part.split(".")[0].removeprefix("test_") for part in _below(gradable, path)}
        own = names & set(gradable.assignment.question_ids)
        if not own:
            return None
        found |= own
    return tuple(question for question in gradable.assignment.question_ids if question in found)


def _below(gradable: GradableAssignment, path: Path) -> tuple[str, ...]:
    for folder in watched(gradable):
        if path.is_relative_to(folder):
            return path.relative_to(folder).parts
    return ()
