"""Why staff should look at a submission whose grade is final.

It imports what the environment lacks, which is for the course to decide; it is as it was released; or its process ended
while its code ran. These change no points.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from gradetape.course.gradable import GradableAssignment
from gradetape.course.written import released_texts
from gradetape.records import Cell, CellEvent, CheckResult, Grade, Verdict
from gradetape.text import counted

UNTOUCHED = "the notebook is as it was released: no cell was changed"
NO_CODE = "it has no code"
ENDED = "its process ended while its code ran: an exit, a crash, or too much memory"
IMPORTS = "imports "
_MISSING = re.compile(
    r"^ModuleNotFoundError: No module named '(?P<name>[A-Za-z_]\w{0,59}(?:\.\w{1,60}){0,5})'", re.MULTILINE
)
_MOST_IMPORTS = 5
# The lines of the cells that belong to no question in the released notebook.
_RELEASED = re.compile(
    r"(?:#.*|import otter|grader = otter\.Notebook\(.*\)|grader\.(?:check|export)\(.*\)|%env TF_USE_LEGACY_KERAS=1)?"
)


def concerns_of(
    gradable: GradableAssignment, cells: Sequence[Cell], events: Sequence[CellEvent], results: Sequence[CheckResult]
) -> tuple[str, ...]:
    """The reasons, each once; `cells` are attributed."""
    if not gradable.assignment.question_sources:
        return ()
    if not cells:
        return (NO_CODE,)
    if _is_untouched(gradable, cells):
        return (UNTOUCHED,)
    ended = any(map(_ended, events)) or any(result.verdict is Verdict.CRASHED for result in results)
    return (*_imports(events, results), *([ENDED] if ended else []))


def lines(grades: Iterable[Grade], assignment: str) -> Iterator[str]:
    """What a batch ends with: which packages submissions import that are missing, and how they are added."""
    counts: dict[str, list[Grade]] = {}
    for grade in grades:
        for concern in grade.concerns:
            if concern.startswith(IMPORTS):
                counts.setdefault(concern.removeprefix(IMPORTS), []).append(grade)
    for what, found in sorted(counts.items(), key=lambda each: -len(each[1])):
        verb = "imports" if len(found) == 1 else "import"
        yield f"{counted(len(found), 'submission')} {verb} {what}{_remedy(what, found[0].isolation, assignment)}"


def lacks_package(grade: Grade) -> bool:
    """Whether a submission imports what the environment lacks, which only the course can change."""
    return any(concern.startswith(IMPORTS) for concern in grade.concerns)


def _remedy(what: str, isolation: str, assignment: str) -> str:
    name = what.partition(",")[0]
    if "." in name:
        return ""
    install = "gradetape image build" if isolation == "container" else f"pip install {name}"
    return f": add it to `packages` in assignments/{assignment}/assignment.yml and run {install}, then grade again"


def _imports(events: Sequence[CellEvent], results: Sequence[CheckResult]) -> Iterator[str]:
    texts = [event.text for event in events if event.kind == "error"]
    # What code says in a hidden check may hold its inputs, which belong in no list.
    texts += [each.staff_message for each in results if each.verdict is Verdict.ERROR and each.check.public]
    names = dict.fromkeys(match["name"] for text in texts for match in _MISSING.finditer(text))
    for name in list(names)[:_MOST_IMPORTS]:
        top, inner, _ = name.partition(".")
        yield f"{IMPORTS}{name}, which {f'the {top} of this environment' if inner else 'this environment'} lacks"


def _ended(event: CellEvent) -> bool:
    return event.kind == "quarantined" and event.text.startswith((Verdict.CRASHED, Verdict.MEMORY))


def _is_untouched(gradable: GradableAssignment, cells: Sequence[Cell]) -> bool:
    written = (text for source in gradable.assignment.written_sources for text in released_texts(source))
    released = _texts_of(gradable.starters) | set(map(_plain, written))
    own = [cell for cell in cells if not all(map(_RELEASED.fullmatch, _plain(cell.source).splitlines()))]
    return all(_plain(cell.source) in released for cell in own)


@lru_cache(maxsize=8)
def _texts_of(starters: tuple[Cell, ...]) -> frozenset[str]:
    return frozenset(_plain(cell.source) for cell in starters)


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
