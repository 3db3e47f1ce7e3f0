"""What a submission's code says reaches its student in one way only, and never once it may have seen hidden inputs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.checks import in_worker
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import LocalEngine, judge
from gradetape.judge.transcript import Transcript
from gradetape.records import Cell, CellEvent, Check, CheckResult, Job, Lost, Outcome, Said, Verdict
from gradetape.remote.loader import AGAIN, LoadReport
from gradetape.runtime.launch import LocalZygote
from gradetape.runtime.slots import Slots
from gradetape.wire.operations import Operation
from tests.course import write_files
from tests.remote_sessions import open_session, started

PACKAGE = Path(__file__).parents[1] / "src" / "gradetape"
HIDDEN_INPUT = "the-hidden-input"

# The structure: where such words are made, and where they go.

MAKERS = {
    "CellEvent": {"remote/loader.py"},
    "Judged": {"judge/server.py"},
    "Loaded": {"judge/server.py"},
    "Transcript": {"judge/server.py"},
    "CheckResult": {"judge/verdicts.py", "grading/rubric.py"},
    "words_of": {"judge/session.py"},
}
# An event or a message is never changed on its way, except by the transcript and for staff.
# The desk's pages without names are for staff; what is recorded stays. The message of a Ray environment is no check's.
CHANGED = {
    "events": {"judge/server.py", "desk/names.py"},
    "message": {"judge/transcript.py", "desk/names.py", "engine/ray/ray_engine.py"},
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(PACKAGE).as_posix(), node


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


@pytest.mark.parametrize("name", MAKERS)
def test_what_a_student_reads_is_made_in_few_places(name: str) -> None:
    assert {file for file, node in calls() if called(node) == name} == MAKERS[name]


def test_the_judge_server_sends_nothing_of_a_child_that_the_transcript_has_not_seen() -> None:
    """Each message to the supervisor is made by the server itself, or passes through `_told`."""
    sent = [
        node.args[0]
        for file, node in calls()
        if file == "judge/server.py" and ast.unparse(node.func) == "self._supervisor.send"
    ]
    made = {called(each) for each in sent if isinstance(each, ast.Call)}
    assert len(sent) >= 4 and all(isinstance(each, ast.Call) for each in sent)
    assert made == {"CollectedChecks", "JobLost", "_told"}


@pytest.mark.parametrize("field", CHANGED)
def test_what_a_student_reads_is_not_changed_elsewhere(field: str) -> None:
    replaced = {
        file
        for file, node in calls()
        if called(node) == "replace" and any(keyword.arg == field for keyword in node.keywords)
    }
    assert replaced <= CHANGED[field]


# Where words for staff are read. None of these writes what a student reads but the terminal, which leaves them out.
FOR_STAFF = {
    "staff_message": {
        "desk/names.py", "engine/judge_client.py", "grading/builder.py", "grading/concerns.py", "grading/rubric.py",
        "report/code.py", "report/dashboard.py", "report/likeness.py", "report/material.py", "report/question.py",
        "report/staff.py", "report/terminal.py", "report/trial.py", "verify/problems.py",
    },
    "review": {
        "desk/names.py", "engine/local.py", "exports/json.py", "grading/builder.py", "grading/composition.py",
        "grading/run.py", "judge/server.py", "remote/loader.py", "report/dashboard.py", "report/rows.py",
        "report/terminal.py",
    },
}  # fmt: skip


@pytest.mark.parametrize("field", FOR_STAFF)
def test_words_for_staff_are_read_in_few_places(field: str) -> None:
    reading = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == field
    }
    assert reading == FOR_STAFF[field]


# The transcript: whatever happens in a job

PUBLIC, SECRET = (
    Check(question="q01", name=f"test_{public}", public=public, title="T", hint="", points=1.0)
    for public in (True, False)
)


def result(check: Check, verdict: Verdict = Verdict.ERROR) -> CheckResult:
    return CheckResult(check=check, verdict=verdict, points=0.0, seconds=0.1, message="the grader's words")


def event(kind: str, text: str, cell: int = 0) -> CellEvent:
    return CellEvent(cell=cell, kind=kind, text=text)


kinds = st.sampled_from(["error", "salvaged", "copied", "note", "output", "quarantined"])
loads = st.lists(st.tuples(kinds, st.integers(0, 3)), max_size=4)
steps = st.lists(st.one_of(loads, st.sampled_from(["hidden begins", "public result", "hidden result"])), max_size=8)


@given(steps)
def test_nothing_passes_after_the_first_load_or_a_hidden_check(happened: list[object]) -> None:
    transcript, loaded, hidden = Transcript(), False, False
    for step in happened:
        if isinstance(step, list):
            word = HIDDEN_INPUT if loaded or hidden else "allowed"
            if not loaded and hidden:
                word = "allowed"  # no check can have given an input to a submission that was never loaded
            transcript.add_load(tuple(event(kind, word, cell) for kind, cell in step))
            loaded = True
        elif step == "hidden begins":
            transcript.begin_hidden()
            hidden = True
        else:
            check = PUBLIC if step == "public result" else SECRET
            word = HIDDEN_INPUT if hidden or check is SECRET else "allowed"
            told = transcript.tell(result(check), word)
            assert told.message in ("allowed", "the grader's words")
    assert all(each.text in ("allowed", AGAIN) for each in transcript.events)


@given(steps)
def test_a_submission_that_is_judged_again_says_nothing_new(happened: list[object]) -> None:
    first = msgspec.structs.replace(result(PUBLIC), message="said the first time")
    transcript = Transcript(Said(events=(event("output", "said the first time"),), results=(first,)))
    for step in happened:
        if isinstance(step, list):
            transcript.add_load(tuple(event(kind, HIDDEN_INPUT, cell) for kind, cell in step))
        elif step == "hidden begins":
            transcript.begin_hidden()
        else:
            check = PUBLIC if step == "public result" else SECRET
            told = transcript.tell(result(check), HIDDEN_INPUT)
            assert told.message == ("said the first time" if check is PUBLIC else "the grader's words")
            assert transcript.tell(result(PUBLIC, Verdict.FAILED), HIDDEN_INPUT).message == "the grader's words"
    assert {each.text for each in transcript.events} <= {"said the first time", AGAIN}


def test_public_checks_together_say_no_more_than_a_page_can_hold() -> None:
    transcript = Transcript()
    told = [transcript.tell(result(PUBLIC), '"' * 6000).message for _ in range(200)]
    assert told[0] == '"' * 6000 and told[-1] == "the grader's words"
    assert sum(5 * len(text) for text in told if text.startswith('"')) <= 1 << 18


def test_quarantined_cells_count_towards_the_limit_too() -> None:
    report = LoadReport((Cell(source=""),) * 5000)
    for index in range(5000):
        report.add_quarantine(index, f"crashed: the process ended itself with exit status {index}; none of it was used")
    assert sum(len(each.text) for each in report.events) <= 1 << 17
    assert "no more of them are listed" in report.events[-1].text


# The whole: a submission that keeps what it sees in a file, as if it had found a way out of the sandbox

CHECKS = {
    "assignments/a/q01_x/test_public.py": """
from gradetape.checks import points
@points(1)
def test_public(student):
    '''Public.'''
    assert student.f('public') == 'public'
""",
    "autograder/a/test_q01_x.py": f"""
import os, signal, time
from gradetape.checks import in_worker, points
@in_worker
def shipped(fn, value):
    '''A docstring.'''
    return fn(value)
@points(1)
def test_a_first(student):
    '''First.'''
    assert student.f({HIDDEN_INPUT!r}) == 0
@points(1)
def test_b_kills_the_judge(student, reference):
    '''Second: the judge ends, as if it had overrun. The reference passes.'''
    if student.f('who') == 'student':
        os.kill(os.getpid(), signal.SIGKILL)
@points(1)
def test_c_last(student):
    '''Third.'''
    assert shipped(student.f, 'last') == 0
""",
    "autograder/a/test_q02_y.py": """
import os, signal
from gradetape.checks import points
@points(1)
def test_d_kills_the_server(student):
    '''The judge server ends.'''
    os.kill(os.getppid(), signal.SIGKILL)
""",
}
KEEPS = """
import os
FILE = {file!r}
KEPT = open(FILE).read() if os.path.exists(FILE) else 'nothing'
print('kept:', KEPT)
{more}
# %%
def f(x):
    with open(FILE, 'a') as file:
        file.write(str(x) + ' ')
    print('kept in f:', x)
    if x == 'who':
        return 'student'
    raise ValueError(f'f was given {{x}}')
"""
FAILS_AGAIN = """
class Name:
    def __str__(self):
        raise MemoryError(KEPT)
class Loud(SyntaxError):
    filename = Name()
if KEPT != 'nothing':
    {how}
"""
WAYS = {
    "it is only printed": "",
    "an exception that cannot be described": FAILS_AGAIN.format(how="raise Loud"),
    "an exception": FAILS_AGAIN.format(how="raise ValueError(KEPT)"),
    "an exit status": FAILS_AGAIN.format(how="os._exit(sum(KEPT.encode()) % 256)"),
    "the name of a class": FAILS_AGAIN.format(how="raise type(KEPT, (MemoryError,), {})"),
}  # fmt: skip


@pytest.fixture(scope="module")
def gradable(tmp_path_factory: pytest.TempPathFactory) -> GradableAssignment:
    root = tmp_path_factory.mktemp("course")
    files = {
        **CHECKS,
        "grader_config.yml": "course: Words\nlimits: {check_s: 20, cell_s: 20}\n",
        "assignments/a/assignment.yml": "title: A\nquestions: {q01_x: 4, q02_y: 1}\n",
        "assignments/a/introduction.md": "# A\n",
        "assignments/a/q01_x/prompt.md": "# Do\n",
        "assignments/a/q01_x/starter.py": "def f(x):\n    ...\n",
        "autograder/seed": "5f3a9c0e7d12b4865f3a9c0e7d12b486\n",
        "solutions/a/q01_x.py": "def f(x):\n    return x\n",
        "assignments/a/q02_y/test_public.py": "",
        "assignments/a/q02_y/prompt.md": "# Do\n",
        "assignments/a/q02_y/starter.py": "def g():\n    ...\n",
        "solutions/a/q02_y.py": "def g():\n    return 1\n",
    }
    write_files(root, files)
    return GradableAssignment.open(courses.find(root), "a")


@pytest.fixture(scope="module")
def engine(gradable: GradableAssignment) -> Iterator[LocalEngine]:
    """Without isolation, since a submission can keep nothing in the sandbox."""
    slots = Slots.of(gradable.course.config, workers=1, isolation="none", secret=gradable.secret_folders)
    with LocalEngine(gradable.bundle(), slots, root=gradable.course.root) as engine:
        yield engine


def job_of(engine: LocalEngine, gradable: GradableAssignment, source: str, *names: str) -> Job:
    """A job of the first question and of the checks that are named."""
    checks = engine.collected.checks
    only = tuple(each.id for each in checks if each.question == "q01_x" or each.name in names)
    cells = tuple(Cell(source=part) for part in source.split("# %%"))
    return gradable.job(cells, gradable.course.config.limits.record(), only=only)


def judged(engine: LocalEngine, gradable: GradableAssignment, source: str, said: Said | None = None) -> Outcome:
    return judge(engine, msgspec.structs.replace(job_of(engine, gradable, source), said=said))


def read_by_student(outcome: Outcome) -> str:
    events = [f"{each.kind}: {each.text}" for each in outcome.events]
    return "\n".join([*events, *(each.message for each in outcome.results)])


@pytest.mark.parametrize("way", WAYS)
def test_no_word_of_a_later_load_reaches_the_student(
    way: str, engine: LocalEngine, gradable: GradableAssignment, tmp_path: Path
) -> None:
    outcome = judged(engine, gradable, KEEPS.format(file=str(tmp_path / "kept"), more=WAYS[way]))
    verdicts = {each.check.name: each.verdict for each in outcome.results}
    assert verdicts["test_b_kills_the_judge"] is Verdict.FAULT
    assert verdicts["test_c_last"] in (Verdict.ERROR, Verdict.MISSING)
    kept = (tmp_path / "kept").read_text()
    assert HIDDEN_INPUT in kept and "last" in kept, "the attack works: the next judge's worker found the input"
    told = read_by_student(outcome)
    assert "kept: nothing" in told and "f was given public" in told and "kept in f: public" in told
    for word in (HIDDEN_INPUT, "who", "last", "exit status"):
        assert word not in told
    assert [each.kind for each in outcome.events][:1] == ["output"]
    assert {(each.kind, each.text) for each in outcome.events[1:]} <= {("quarantined", AGAIN)}


def test_a_submission_that_is_judged_again_is_heard_once(
    engine: LocalEngine, gradable: GradableAssignment, tmp_path: Path
) -> None:
    source = KEEPS.format(file=str(tmp_path / "kept"), more="")
    first = judged(engine, gradable, source)
    public = tuple(each for each in first.results if each.check.public)
    again = judged(engine, gradable, source, Said(events=first.events, results=public))
    assert HIDDEN_INPUT in (tmp_path / "kept").read_text()
    assert again.events == first.events
    assert [each.message for each in again.results] == [each.message for each in first.results]


def test_what_a_lost_submission_has_said_comes_with_the_loss(
    engine: LocalEngine, gradable: GradableAssignment, tmp_path: Path
) -> None:
    source = KEEPS.format(file=str(tmp_path / "kept"), more="")
    number = engine.submit(job_of(engine, gradable, source, "test_d_kills_the_server"))
    ended = next(each for _ in iter(int, 1) for each in engine.wait(1.0))
    assert ended[0] == number and isinstance(ended[1], Lost) and ended[1].said is not None
    assert [(each.kind, each.text) for each in ended[1].said.events] == [("output", "kept: nothing\n")]
    assert [each.check.name for each in ended[1].said.results] == ["test_public"]


# What a check sends to the worker leaves no text there

SHIPPED = """
import linecache
def texts(_):
    return [line for name, entry in linecache.cache.items() if name.startswith("<check") for line in entry[2]]
"""


def test_functions_of_checks_are_nowhere_as_text_but_what_autograph_reads(zygote: LocalZygote) -> None:
    @in_worker
    def outer(fn, value):  # type: ignore[no-untyped-def]
        """What it is for."""
        held = "only in the outer function"

        def inner(x):  # type: ignore[no-untyped-def]
            return x

        return (held and inner(fn))(value)

    @in_worker
    def simple(fn, value):  # type: ignore[no-untyped-def]
        """What it is for."""
        return fn(value)

    with open_session(zygote, SHIPPED) as opened:
        assert simple(opened.student.texts, 1) == []
        shown = "".join(outer(opened.student.texts, 1))
        assert "def inner(x)" in shown and "only in the outer" not in shown and "What it is for" not in shown
        opened.session.ready().ask(Operation.SEED, 1)
        assert opened.student.texts(1) == []


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started() as zygote:
        yield zygote


AUTOGRAPH = """
def total(values):
    result = 0.0
    for value in values:
        if value > 1.0:
            result += value
    return result
"""


def test_autograph_reads_the_inner_functions_of_a_check(zygote: LocalZygote) -> None:
    """A student's plain Python becomes a graph also where a check calls it in a function of its own."""

    @in_worker
    def by_a_function(total, values):  # type: ignore[no-untyped-def]
        def call(x):  # type: ignore[no-untyped-def]
            return total(x)

        return tf.function(call)(tf.constant(values))  # type: ignore[name-defined]  # noqa: F821

    with open_session(zygote, AUTOGRAPH) as opened:
        assert by_a_function(opened.student.total, [1.0, 2.0, 3.0]) == 5.0
