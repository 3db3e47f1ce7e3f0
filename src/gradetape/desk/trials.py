"""Trials that the desk runs in the background, one at a time, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread

from gradetape.desk.names import pseudonym, trial_without_names
from gradetape.errors import GradetapeError, RequestError
from gradetape.records import Grade, Question, TrialResult
from gradetape.report import anchor, page_name, slug

_KEPT = 20
_END_S = 20.0
Stopped = Callable[[], bool]
Make = Callable[[Stopped], Iterator[TrialResult]]


@dataclass
class BackgroundTrial:
    """A trial of a question on `grades`: `make` yields its results; `student` is empty if it is of all.

    `folder` is its address.
    """

    assignment: str
    question: Question
    student: str
    folder: str
    grades: Sequence[Grade]
    make: Make
    tried: list[TrialResult] = field(default_factory=list)
    running: bool = True
    problem: str = ""

    @property
    def of(self) -> int:
        """On how many submissions it is tried."""
        return len(self.grades)

    @property
    def title(self) -> str:
        """What is tried, and on whom."""
        what = self.question.title or self.question.id
        return f"{what}: {self.student}" if self.student else what

    @property
    def place(self) -> str:
        """The address of the page from which it was started."""
        if self.student:
            return f"/staff/{self.folder}/{page_name(self.student)}#{anchor(self.question.id)}"
        return f"/staff/{self.folder}/questions/{slug(self.question.id)}.html"

    def without_names(self) -> BackgroundTrial:
        """The same as it is now, with pseudonyms."""
        student = pseudonym(self.assignment, self.student) if self.student else ""
        return replace(self, student=student, tried=list(trial_without_names(self.assignment, self.tried, self.grades)))


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
