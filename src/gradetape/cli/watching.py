"""`gradetape verify --watch`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from gradetape.cli.lines import complain, warn
from gradetape.cli.proving import ProvingOptions, outcomes_of, proven, shown
from gradetape.cli.status import OK
from gradetape.course.assignments import Course, find
from gradetape.course.gradable import GradableAssignment
from gradetape.course.question_ids import resolve
from gradetape.engine import EngineOptions, open_engine
from gradetape.engine.warm import WarmEngine
from gradetape.errors import GradetapeError, InfrastructureError
from gradetape.verify.watching import affected, watched

_DEBOUNCE_MS = 300
_LOOK_MS = 500


class Watch:
    """Verifies an assignment or a question again whenever one of its files is saved."""

    def __init__(
        self,
        course: Course,
        name: str,
        question: str | None,
        chosen: ProvingOptions,
        workers: int | None,
        *,
        fresh: bool,
    ):
        self._root = course.root
        self._name = name
        self._question = question
        self._chosen = chosen
        self._workers = workers
        self._outcomes = outcomes_of(1, fresh=fresh)

    def run(self) -> int:
        """Verifies until Ctrl-C. Raises what is wrong at the beginning; later it is shown."""
        gradable = self._opened()
        folders = [folder for folder in watched(gradable) if folder.is_dir()]
        with WarmEngine(open_engine) as engine:
            try:
                changes = changed_files(folders)
                next(changes)  # from here on, nothing that is saved is missed
                self._verify(engine, gradable, self._asked(gradable))
                _ = engine.open(
                    gradable, EngineOptions(workers=self._workers)
                ).collected  # from now on the workers are warm
                for changed in filter(None, changes):
                    self._again(engine, changed)
            except KeyboardInterrupt:
                warn(["Stopped watching."])
        return OK

    def _again(self, engine: WarmEngine, changed: list[Path]) -> None:
        try:
            gradable = self._opened()
            questions = affected(gradable, changed)
            asked = self._asked(gradable)
            if questions is None or self._chosen.report:  # the page is about everything that was asked for
                self._verify(engine, gradable, asked)
                return
            for question in questions:
                if asked in (None, question):
                    self._verify(engine, gradable, question)
        except InfrastructureError as error:
            engine.close()
            complain(error)
        except GradetapeError as error:
            complain(error)

    def _verify(self, engine: WarmEngine, gradable: GradableAssignment, question: str | None) -> None:
        proof = proven(
            gradable, question, 1, self._chosen, self._workers, open_engine=engine.open, outcomes=self._outcomes
        )
        shown(gradable, proof, self._chosen, as_json=False)
        sys.stdout.flush()
        warn(["Waiting for the next change. Ctrl-C ends."])

    def _opened(self) -> GradableAssignment:
        """The assignment as it is now."""
        return GradableAssignment.open(find(self._root), self._name)

    def _asked(self, gradable: GradableAssignment) -> str | None:
        return None if self._question is None else resolve(self._question, gradable.assignment)


def changed_files(folders: list[Path]) -> Iterator[list[Path]]:
    """The files that were saved since the last time, in turn with nothing."""
    from watchfiles import watch

    for changes in watch(*folders, debounce=_DEBOUNCE_MS, step=50, rust_timeout=_LOOK_MS, yield_on_timeout=True):
        yield sorted({Path(path).resolve() for _, path in changes})
