"""An engine that stays open between uses, for commands that keep running."""

from __future__ import annotations

from typing import Self

from gradetape.course.gradable import GradableAssignment
from gradetape.engine.base import Engine, EngineOptions, Finished, OpenEngine
from gradetape.records import AssignmentBundle, CollectedChecks, Environment, Job


class WarmEngine:
    """An engine that stays open: it starts again only for another configuration. A context manager."""

    def __init__(self, open_engine: OpenEngine) -> None:
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._configured: object = None
        self._bundle: AssignmentBundle | None = None

    def open(self, gradable: GradableAssignment, options: EngineOptions) -> KeptOpen:
        """The engine with the checks as they are now; leaving its context does not close it."""
        bundle = gradable.bundle()
        configured = (gradable.course.config, gradable.secret_folders, bundle.packages)
        if self._engine is None or configured != self._configured:
            self.close()
            self._engine = self._open_engine(gradable, options)
        elif bundle != self._bundle:
            self._engine.recollect(bundle)
        self._configured, self._bundle = configured, bundle
        return KeptOpen(self._engine)

    def close(self) -> None:
        """Ends everything that was started; the next `open` starts it again."""
        if self._engine is not None:
            self._engine.close()
        self._engine = None

    def __enter__(self) -> WarmEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class KeptOpen:
    """An engine whose context does not close it, and which keeps all its places for work that comes later.

    Large because it has all methods of the contract.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def environment(self) -> Environment:
        """The environment that it judges in."""
        return self._engine.environment

    @property
    def collected(self) -> CollectedChecks:
        """The assignment's checks; starts what collects them."""
        return self._engine.collected

    def capacity(self) -> int:
        """How many jobs may run at the same time."""
        return self._engine.capacity()

    @property
    def parts(self) -> int:
        """How many of them may be parts of one submission."""
        return self._engine.parts

    def expect(self, jobs: int) -> None:
        """Does nothing: more jobs may come."""

    def submit(self, job: Job) -> int:
        """Starts a job."""
        return self._engine.submit(job)

    def wait(self, timeout_s: float) -> list[Finished]:
        """The jobs that have ended."""
        return self._engine.wait(timeout_s)

    def forget(self, number: int) -> None:
        """Cancels a job."""
        self._engine.forget(number)

    def renew(self) -> None:
        """Restarts everything for the next job."""
        self._engine.renew()

    def recollect(self, bundle: AssignmentBundle) -> None:
        """Collects changed checks."""
        self._engine.recollect(bundle)

    def close(self) -> None:
        """Does nothing: the engine's owner closes it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
