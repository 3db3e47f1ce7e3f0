"""The event loop in which all cells of a notebook run, as in ipykernel: tasks of one cell go on in the next."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from typing import Any

from IPython.core.interactiveshell import ExecutionResult

from gradetape.worker.shell import ZMQInteractiveShell

_TURNS = 10  # a kernel's loop turns between two cells, while it waits for the next one


class CellLoop:
    """Runs cells in a shell, within one event loop. The loop is made when the first cell runs, after the fork."""

    __slots__ = ("_loop", "_shell")

    def __init__(self, shell: ZMQInteractiveShell) -> None:
        self._shell = shell
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, source: str) -> ExecutionResult:
        """Runs a cell, and what is ready to run after it; raises what IPython itself raises."""
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        loop = self._loop
        asyncio.set_event_loop(loop)
        variables = contextvars.copy_context()
        task = loop.create_task(self._cell(source), context=variables)
        try:
            done: ExecutionResult = loop.run_until_complete(task)
            return done
        finally:
            task.cancel()
            for variable, value in variables.items():  # `np.seterr` of a cell holds for the next one, and for checks
                variable.set(value)

    async def _cell(self, source: str) -> ExecutionResult:
        result: ExecutionResult = await self._run(source)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        return result

    async def _run(self, source: str) -> Any:
        """As ipykernel does it: a cell with `await` belongs to the loop, any other one blocks it."""
        shell, failure = self._shell, None
        try:
            text = shell.transform_cell(source)
        except Exception:
            text, failure = source, sys.exc_info()
        prepared: dict[str, Any] = {"transformed_cell": text, "preprocessing_exc_tuple": failure}
        if not shell.should_run_async(source, **prepared):
            return shell.run_cell(source, store_history=True)
        result = None
        try:
            result = await shell.run_cell_async(source, store_history=True, **prepared)
            return result
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
