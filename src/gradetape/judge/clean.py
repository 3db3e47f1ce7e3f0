"""A worker that never runs a student's code."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from gradetape.errors import StudentError, WireError
from gradetape.remote.functions import WorkerFunction
from gradetape.remote.session import Session
from gradetape.wire.operations import Operation
from gradetape.wire.values import WorkerPath


class CleanWorker:
    """The fixture `clean`: Keras and TensorFlow in a worker without any student's classes."""

    def __init__(self, session: Session, student: Session) -> None:
        self._session = session
        self._student = student
        self.tf = session.module("tf")
        self.keras = session.module("keras")

    @property
    def alive(self) -> bool:
        """Whether its process has been started and has not ended."""
        return self._session.worker is not None

    def allow(self, cpu_s: float) -> None:
        """Grants the CPU seconds of a check, if its process has been started."""
        self._session.allow(cpu_s)

    def seed(self, number: int, deterministic: bool = True) -> None:
        """Starts its process if there is none, and seeds its random numbers."""
        self._session.ready().ask(Operation.SEED, number, "", deterministic)

    def close(self) -> None:
        """Ends the worker."""
        self._session.close()

    def run(self, function: WorkerFunction, *args: object, **kwargs: object) -> Any:
        """Runs a @in_worker function in the clean worker."""
        return self._session.ready().ask(Operation.CALL, function, list(args), kwargs)

    def copy(self, folder: WorkerPath) -> WorkerPath:
        """Copies a folder's regular files from the student's worker; returns the folder's path in the clean worker.

        Raises StudentError if the folder does not exist or is too large.
        """
        files = self._student.ready().ask(Operation.READ_TREE, folder)
        if type(files) is not dict or not files:
            raise StudentError(f"nothing was written to {Path(folder).name}")
        return self.written(files)

    def written(self, files: Any) -> WorkerPath:
        """Writes files from a student's worker into a new folder. Raises WireError for anything else."""
        if type(files) is not dict or not files:
            raise WireError("no files")
        for name, data in files.items():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or type(data) is not np.ndarray:
                raise WireError("a file outside its folder")
        return WorkerPath(self._session.ready().ask(Operation.WRITE_TREE, files))
