"""Trials that the desk runs in the background, one at a time, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from gradetape.errors import GradetapeError, RequestError
from gradetape.records import TrialResult

_KEPT = 20
_END_S = 20.0
Stopped = Callable[[], bool]
Make = Callable[[Stopped], Iterator[TrialResult]]


@dataclass
class BackgroundTrial:
    """A trial: `make` yields its results; `back` is the address of the page from which it was started."""

    what: str
    folder: str
    back: str
    of: int
    make: Make
    tried: list[TrialResult] = field(default_factory=list)
    running: bool = True
    problem: str = ""


class Trials:
    """The trials of a desk. The newest 20 are kept, in memory only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[str, BackgroundTrial] = {}
        self._count = 0
        self._stop = Event()
        self._threads: list[Thread] = []

    def begin(self, trial: BackgroundTrial) -> str:
        """Starts a trial; returns its number. Raises RequestError while another one runs."""
        with self._lock:
            if any(each.running for each in self._found.values()):
                raise RequestError("another trial is running: wait until it ends, and send the form again")
            self._count += 1
            number = str(self._count)
            self._found[number] = trial
            if len(self._found) > _KEPT:
                del self._found[next(iter(self._found))]
        thread = Thread(target=self._run, args=(trial,), daemon=True)
        self._threads = [thread]
        thread.start()
        return number

    def get(self, number: str) -> BackgroundTrial | None:
        """A trial by its number."""
        return self._found.get(number)

    def close(self) -> None:
        """Ends what runs, and waits for its workers to end."""
        self._stop.set()
        for thread in self._threads:
            thread.join(_END_S)

    def _run(self, trial: BackgroundTrial) -> None:
        try:
            for each in trial.make(self._stop.is_set):
                trial.tried.append(each)
        except GradetapeError as error:
            trial.problem = str(error)
        finally:
            trial.running = False
