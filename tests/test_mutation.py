"""Generated mutants: how they are made, run, remembered, scored and listed as equivalent."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from gradetape.course import assignments as courses
from gradetape.course.check_code import _codes
from gradetape.course.gradable import GradableAssignment
from gradetape.course.source import PythonSource
from gradetape.engine import LocalEngine, MockEngine, judge, open_engine
from gradetape.errors import ConfigError, CourseError, InfrastructureError, RequestError
from gradetape.records import CellEvent, Check, CheckLimit, CheckResult, Job, Lost, Outcome, Verdict
from gradetape.verify.mutation import MutationReport, MutationRequest, Sample, append_survivors, mutate
from gradetape.verify.mutation import mutation as mutation_module
from gradetape.verify.mutation.generate import OPERATORS, generate
from gradetape.verify.mutation.records import GeneratedMutant, Solution
from gradetape.verify.mutation.table import render
from tests.course import called, gradetape, tiny

DOCS = Path(__file__).parents[1] / "docs" / "mutation.md"
QUESTION = "q01_double"
PUBLIC, HIDDEN = f"{QUESTION}::public::test_two", f"{QUESTION}::hidden::test_any_number"
CHECKS = (
    Check(question=QUESTION, name="test_two", public=True, title="", hint="", points=1),
    Check(question=QUESTION, name="test_any_number", public=False, title="", hint="", points=2),
    Check(question="q02_halve", name="test_four", public=True, title="", hint="", points=1),
    Check(question="q02_halve", name="test_odd_number", public=False, title="", hint="", points=1),
)

# For each operator, code and a line of one of the mutants that it makes.
EXAMPLES = {
    "axis": ("tf.reduce_sum(x, axis=1)", "tf.reduce_sum(x, axis=-1)"),
    "keepdims": ("tf.reduce_sum(x, axis=1)", "tf.reduce_sum(x, axis=1, keepdims=True)"),
    "dtype": ("tf.cast(x, tf.float32)", "tf.cast(x, tf.float64)"),
    "training": ("model(x, training=True)", "model(x, training=False)"),
    "sample-weight": ("sample_weight * x", "None * x"),
    "super": ("def f():\n    super().__init__()", "    pass"),
    "config": ("def get_config(self):\n    return {'a': 1, 'b': 2}", "    return {'a': 1}"),
    "reset": ("metric.reset_state()", "pass"),
    "class-state": ("def f(self):\n    self.total = 0", "    type(self).total = 0"),
    "closure-state": (
        "def f():\n    v = make()\n    def g(): pass", "    v = vars(f).setdefault(\"v\", make())",
    ),
    "new-state": ("def f():\n    v = make()\n    def g():\n        return v", "        v = make()"),
    "sum-mean": ("tf.reduce_sum(x)", "tf.reduce_mean(x)"),
    "relative": ("tf.maximum(x, 0)", "tf.minimum(x, 0)"),
    "where": ("tf.where(c, a, b)", "tf.where(c, b, a)"),
    "numpy": ("tf.reduce_sum(x)", "np.sum(x)"),
    "seed": ("dropout(x, seed=seed)", "dropout(x, seed=42)"),
    "global-seed": ("def f(x):\n    return tf.random.normal(x)", "    tf.random.set_seed(0)"),
    "buffer": ("ds.shuffle(len(x), seed=1)", "ds.shuffle(2, seed=1)"),
    "range": ("for i in tf.range(n): pass", "for i in range(n): pass"),
    "squeeze": ("def f(x):\n    return x", "    return tf.squeeze(x)"),
    "numpy-result": ("def f(x):\n    return x + 1", "    return (x + 1).numpy()"),
    "transposition": ("tf.transpose(x)", "tf.reshape(x, tf.shape(x)[::-1])"),
    "list": ("for x in dataset: pass", "for x in list(dataset): pass"),
    "shape": ("tf.shape(x)", "x.shape"),
    "epsilon": ("a / b", "a / (b + 1e-3)"),
    "boundary": ("a < b", "a <= b"),
    "comparison": ("a == b", "a != b"),
    "arithmetic": ("a + b", "a - b"),
    "boolean": ("a and b", "a or b"),
    "unary": ("-a", "a"),
    "number": ("n = 3", "n = 4"),
    "decorator": ("@tf.function\ndef f(): pass", ""),
    "loop": ("for x in xs: pass", "for x in []: pass"),
    "one-pass": ("for x in xs:\n    use(x)", "    break"),
    "statement": ("count += 1", "pass"),
    "method": ("class A:\n    def build(self): pass", "    pass"),
    "return": ("def f(x):\n    return x", "    return None"),
    "argument": ("f(a, name=b)", "f(a)"),
    "argument-order": ("f(a, b)", "f(b, a)"),
    "operand-order": ("a - b", "b - a"),
    "call": ("abs(a) + 1", "a + 1"),
    "default": ("def f(a, b=1): pass", "def f(a, b): pass"),
    "condition": ("if a:\n    f()", "if True:"),
    "string": ("f('wide')", "f('wide_')"),
    "element": ("f([a, b])", "f([a])"),
    "entry": ("f({'a': 1, 'b': 2})", "f({'b': 2})"),
    "augmented": ("a += 1", "a = 1"),
    "subscript": ("a[1:n]", "a[1:]"),
    "exception": ("raise ValueError('no')", "raise TypeError('no')"),
}  # fmt: skip


def solution(text: str, name: str = "reference") -> Solution:
    return Solution(question=QUESTION, name=name, cells=PythonSource(Path("q.py"), text).code)


def made(text: str, *names: str) -> list[GeneratedMutant]:
    """The mutants of a text, by all operators or by some."""
    return list(generate(solution(text), [each for each in OPERATORS if not names or each.name in names]))


@pytest.mark.parametrize("name", [operator.name for operator in OPERATORS])
def test_an_operator_makes_its_mistake(name: str) -> None:
    before, line = EXAMPLES[name]
    texts = [mutant.cells[-1] for mutant in made(f"import tensorflow as tf\n\n# %%\n{before}\n", name)]
    assert any(line in text.splitlines() or not line for text in texts), texts
    assert all(ast.dump(ast.parse(text)) != ast.dump(ast.parse(before)) for text in texts)


def test_every_operator_has_an_example_and_is_described_in_the_docs() -> None:
    assert [operator.name for operator in OPERATORS] == list(EXAMPLES)
    rows = re.findall(r"^\| `([\w-]+)` \| (.+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(operator.name, operator.description) for operator in OPERATORS]


def test_no_two_mutants_are_the_same_and_none_is_the_solution() -> None:
    text = "def f(x, axis=0):\n    y = -x\n    return tf.reduce_sum(y, axis=axis) if axis else y[0]\n"
    trees = [ast.dump(ast.parse(mutant.cells[0])) for mutant in made(text)]
    assert len(trees) > 10
    assert len({*trees, ast.dump(ast.parse(text))}) == len(trees) + 1


def test_what_no_check_should_see_is_not_mutated() -> None:
    text = 'def f(x: int = g(1)) -> "Number":\n    """Two and 3."""\n    raise ValueError("of the two" + str(x), 3)\n'
    changed = {mutant.change.by.strip() for mutant in made(text, "number", "string", "call", "argument", "arithmetic")}
    assert changed == {
        'def f(x: int = g( 2)) -> "Number":', 'def f(x: int = g( 0)) -> "Number":', 'def f(x: int = 1) -> "Number":',
    }  # fmt: skip


def test_private_attributes_are_mutated_and_the_names_of_a_module_are_not() -> None:
    text = "__version__ = 1\n\nclass A:\n    def f(self):\n        self.__total = 3\n"
    assert {mutant.function for mutant in made(text, "number")} == {"A.f"}


def test_a_mutant_tells_where_it_is_and_which_lines_it_changes() -> None:
    text = "import math\n\n# %%\nclass A:\n    def f(self):\n        # twice\n        return 2 * self.x\n"
    found = next(mutant for mutant in made(text, "number"))
    assert (found.function, found.line, found.operator) == ("A.f", 7, "number")
    assert found.change.replace == "        return 2 * self.x"
    assert found.change.by == "        return 3 * self.x"
    assert found.cells[0] == "import math"


def test_a_denominator_changes_and_its_numerator_stays() -> None:
    found = made("y = (a - b) / c\n", "epsilon")
    assert [mutant.change.by for mutant in found] == ["y = (a - b) / (c + 1e-3)"]


def test_an_insertion_is_shown_with_the_line_after_it_or_before_it() -> None:
    found = made("import tensorflow as tf\n\n# %%\ndef f(seed):\n    return seed\n", "global-seed")
    assert found[0].change.replace == "    return seed"
    assert found[0].change.by == "    tf.random.set_seed(0)\n    return seed"
    found = made("for x in xs:\n    use(x)\n\nprint(x)\n", "one-pass")
    assert (found[0].change.replace, found[0].change.by) == ("    use(x)", "    use(x)\n    break")
    found = made("for x in xs:\n    use(x)\n", "one-pass")
    assert (found[0].change.replace, found[0].change.by) == ("    use(x)", "    use(x)\n    break")


def test_a_cell_with_magics_is_left_as_it_is() -> None:
    found = made("%timeit f(3)\n\n# %%\ndef f(x):\n    return x + 1\n")
    assert found
    assert {mutant.cells[0] for mutant in found} == {"%timeit f(3)"}


def test_a_sample_is_seeded_and_spread_over_the_questions() -> None:
    mutants = made("def f(x):\n    return x * 2 + 3 - x / 4\n")
    others = [msgspec.structs.replace(mutant, question="q02_halve") for mutant in mutants[:3]]
    drawn = mutation_module.drawn([*mutants, *others], Sample(size=8))
    assert [mutant.question for mutant in drawn] == [QUESTION] * 5 + ["q02_halve"] * 3
    assert drawn == mutation_module.drawn([*mutants, *others], Sample(size=8, seed=0))
    assert drawn != mutation_module.drawn([*mutants, *others], Sample(size=8, seed=1))
    fewer = mutation_module.drawn([*mutants[1:], *others], Sample(size=8))
    assert len(set(map(str, drawn)) & set(map(str, fewer))) >= 7


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny course with a variant, and a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = tiny(tmp_path / "course")
    variant = made / "solutions/tiny/variants" / QUESTION / "added.py"
    variant.parent.mkdir(parents=True)
    variant.write_text('"""By adding."""\n\ndef double(x):\n    return x + x\n')
    return made


def gradable(root: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(root), "tiny")


def answered(job: Job) -> Outcome | Lost:
    """Runs the checks of the tiny course in this process, as a judge would."""
    names: dict[str, Callable[[float], float]] = {}
    try:
        for cell in job.cells:
            exec(cell.source, names)
    except Exception as error:
        return Outcome(results=(), events=(CellEvent(cell=0, kind="error", text=str(error), question=QUESTION),))
    results = []
    for check_id in job.only or ():
        check = next(each for each in CHECKS if each.id == check_id)
        results.append(CheckResult(check=check, verdict=_verdict(check, names), points=0, seconds=0.01))
        if job.stop_at_failure and results[-1].verdict is not Verdict.PASSED:
            break
    return Outcome(results=tuple(results))


def _verdict(check: Check, names: dict[str, Callable[[float], float]]) -> Verdict:
    try:
        right = {
            "test_any_number": lambda: names["double"](0.3) == 0.6,
            "test_two": lambda: names["double"](2) == 4,
            "test_four": lambda: names["halve"](4) == 2,
            "test_odd_number": lambda: names["halve"](5) == 2.5,
        }[check.name]()
    except Exception:
        return Verdict.ERROR
    return Verdict.PASSED if right else Verdict.FAILED


def ending(text: str, verdict: Verdict) -> Callable[[Job], Outcome | Lost]:
    """Answers as `answered` does, but the first check of a mutant with this text ends with this verdict."""

    def answer(job: Job) -> Outcome | Lost:
        outcome = answered(job)
        if job.stop_at_failure and isinstance(outcome, Outcome) and text in job.cells[0].source:
            result = msgspec.structs.replace(outcome.results[0], verdict=verdict)
            return msgspec.structs.replace(outcome, results=(result,))
        return outcome

    return answer


class Runs:
    """Runs of mutants of the tiny course on an engine of the tests; `jobs` are those of the last run."""

    def __init__(self, root: Path, answer: Callable[[Job], Outcome | Lost] = answered) -> None:
        self.root = root
        self.answer = answer
        self.jobs: list[Job] = []

    def __call__(self, question: str | None = QUESTION, **request: object) -> MutationReport:
        engine = MockEngine(self.answer, checks=CHECKS, capacity=2)
        try:
            return mutate(
                gradable(self.root), MutationRequest(question=question, **request), open_engine=lambda *_: engine
            )
        finally:
            self.jobs = engine.jobs


def test_mutants_of_the_reference_and_of_variants_are_scored(root: Path) -> None:
    report = Runs(root)()
    assert {result.mutant.solution for result in report.results} == {"reference", "added"}
    (score,) = report.scores
    assert (score.generated, score.survived) == (len(report.results), len(report.survivors))
    assert score.failed > 5
    changes = {(each.mutant.solution, each.mutant.change.by.strip()) for each in report.survivors}
    assert changes == set()
    assert report.ok


def test_a_mutant_stops_at_its_first_failed_check_and_has_little_time(root: Path) -> None:
    runs = Runs(root)
    runs()
    mutants = [job for job in runs.jobs if job.stop_at_failure]
    assert len(runs.jobs) == len(mutants) + 2  # the reference and the variant run too, with their own limits
    limits = {limit for job in mutants for limit in job.check_limits.values()}
    assert limits == {CheckLimit(seconds=10.0, cpu_s=3.0)}
    assert all(set(job.check_limits) == set(job.only or ()) for job in mutants)


def test_nothing_runs_twice_and_only_a_changed_check_runs_again(root: Path) -> None:
    runs = Runs(root)
    before = runs()
    assert runs() == msgspec.structs.replace(
        before, results=tuple(msgspec.structs.replace(each, remembered=True) for each in before.results)
    )
    assert runs.jobs == []
    checks = root / "assignments/tiny" / QUESTION / "test_public.py"
    checks.write_text(checks.read_text() + "\n# A comment, and a mark that carries words only.\n")
    runs()
    assert runs.jobs == []
    checks.write_text(checks.read_text().replace("== 4", "== 2 + 2"))
    after = runs()
    failed = [result for result in before.results if result.check == PUBLIC]
    assert len(runs.jobs) == len(failed) + 2 < len(before.results)
    assert {job.only[0] for job in runs.jobs if job.only} == {PUBLIC}
    assert [result.end for result in after.results] == [result.end for result in before.results]


def test_the_cases_of_a_check_decide_and_its_points_do_not(tmp_path: Path) -> None:
    def digest(marks: str) -> str:
        path = tmp_path / "test_public.py"
        path.write_text(f"{marks}\ndef test_two(student, points):\n    assert student.double(2) == points\n")
        return _codes(PythonSource.read(path))["test_two"].digest

    assert digest("@checks.points(1)") == digest("@points(2)\n@hint('points')") == digest("@proves('points')")
    cases = "@pytest.mark.parametrize('points', [{}])"
    assert digest(cases.format(4)) != digest(cases.format(5))


def test_a_check_that_a_mutant_failed_last_comes_first(root: Path) -> None:
    text = root / "solutions/tiny" / f"{QUESTION}.py"
    text.write_text("def double(x):\n    return 2 * x if x == 2 else x + x\n")
    runs = Runs(root)
    other = next(each for each in runs().results if each.mutant.change.by.endswith("else x - x"))
    assert other.check == HIDDEN
    runs(fresh=True)
    again = next(job for job in runs.jobs if job.cells[0].source == other.mutant.cells[0])
    assert again.only == (HIDDEN, PUBLIC)


def test_mutants_that_do_not_run_and_mutants_that_hang_are_told_apart(root: Path) -> None:
    (root / "solutions/tiny" / f"{QUESTION}.py").write_text("TWO = int('2')\n\ndef double(x):\n    return TWO * x\n")

    (score,) = Runs(root, ending("return None", Verdict.TIMEOUT))().scores
    assert score.not_run == 1  # int('2_')
    assert score.timeout == 2
    assert score.score == score.of_all == 1.0


def test_what_is_only_slow_gets_the_courses_own_limits(root: Path) -> None:
    def answer(job: Job) -> Outcome | Lost:
        outcome = answered(job)
        if not job.check_limits or not isinstance(outcome, Outcome):
            return outcome
        late = [msgspec.structs.replace(each, verdict=Verdict.TIMEOUT) for each in outcome.results]
        return msgspec.structs.replace(outcome, results=tuple(late[:1]))

    before, runs = Runs(root)(), Runs(root, answer)
    after = runs(fresh=True)
    assert [(each.end, each.mutant) for each in after.results] == [(each.end, each.mutant) for each in before.results]
    mutants = [job for job in runs.jobs if job.stop_at_failure]
    assert [bool(job.check_limits) for job in mutants] == [True] * len(after.results) + [False] * len(after.results)


@pytest.mark.parametrize("verdict", [Verdict.CRASHED, Verdict.MEMORY])
def test_what_the_machine_may_have_decided_is_not_remembered(root: Path, verdict: Verdict) -> None:
    runs = Runs(root, ending("return None", verdict))
    (score,) = runs().scores
    assert score.raised == 4 < score.failed  # with two missing names
    runs()
    assert len(runs.jobs) == 2


def test_a_check_that_raises_by_itself_fails_no_mutant(root: Path) -> None:
    report = Runs(root, ending("x * x", Verdict.FAULT))()
    (score,) = report.scores
    assert (score.fault, score.survived) == (1, 0) and score.score < 1.0
    assert (
        f"{PUBLIC} itself raises an exception on a mutant (added, line 4: arithmetic) before it has received a value, "
        "which costs a student nothing. Correct the check."
    ) in report.problems


def test_a_memory_for_other_limits_counts_for_nothing(root: Path) -> None:
    runs = Runs(root)
    runs()
    (root / "grader_config.yml").write_text("limits: {memory_mb: 1024}\n")
    runs()
    assert len([job for job in runs.jobs if job.stop_at_failure]) > 5


def test_an_edited_file_beside_the_notebook_counts_for_every_mutant(root: Path) -> None:
    with (root / "assignments/tiny/assignment.yml").open("a") as assignment:
        assignment.write("files: [factor.csv]\n")
    file, runs = root / "assignments/tiny/factor.csv", Runs(root)
    file.write_text("2\n")
    runs()
    first = runs.jobs
    runs()
    assert runs.jobs == []
    file.write_text("3\n")
    runs()
    assert len(runs.jobs) == len(first)


def test_mutants_of_which_none_runs_prove_nothing(root: Path) -> None:
    def answer(job: Job) -> Outcome | Lost:
        event = CellEvent(cell=0, kind="error", text="NameError", question=QUESTION)
        return Outcome(results=(), events=(event,)) if job.stop_at_failure else answered(job)

    report = Runs(root, answer)(sample=Sample(size=1))
    assert report.problems == (
        "q01_double: none of 1 mutant runs, which says nothing of its checks. Take a larger --sample, or none",
    )


def test_a_lost_mutant_runs_again_until_it_is_lost_too_often(root: Path) -> None:
    lost: list[Job] = []

    def answer(job: Job) -> Outcome | Lost:
        if job.stop_at_failure and len(lost) < 2:
            lost.append(job)
            return Lost(reason="the judge has ended")
        return answered(job)

    assert Runs(root, answer)().ok
    with pytest.raises(InfrastructureError, match="a mutant was lost 3 times: the judge has ended"):
        Runs(root, lambda job: Lost(reason="the judge has ended"))(fresh=True)
    with pytest.raises(InfrastructureError, match="the judge gave no result for a mutant"):
        Runs(root, lambda job: Outcome(results=()) if job.stop_at_failure else answered(job))(fresh=True)


def test_a_right_solution_that_fails_a_check_is_refused(root: Path) -> None:
    (root / "solutions/tiny/variants" / QUESTION / "added.py").write_text("def double(x):\n    return x\n")
    with pytest.raises(CourseError, match=r"variant added of q01_double does not pass .*::test_two") as refused:
        Runs(root)()
    assert "so its mutants prove nothing. Correct that first: gradetape verify" in str(refused.value)


WEAK = "def double(x):\n    return abs(2) * x\n"


@pytest.fixture
def weak(root: Path) -> Path:
    """A reference with a call that changes nothing, which no check can notice."""
    (root / "solutions/tiny" / f"{QUESTION}.py").write_text(WEAK)
    return root


def test_a_survivor_is_reported_with_its_lines(weak: Path) -> None:
    report = Runs(weak)()
    (survivor,) = report.survivors
    assert survivor.mutant.change.by == "    return 2 * x"
    assert report.problems == (
        "q01_double: 1 mutant passed every check: the score is 92.9%, at least 100% is due. Write a check that fails "
        "them, or list those that are equivalent: --write-survivors",
    )
    assert Runs(weak)(at_least=90).ok
    (described,) = report.as_json()["survivors"]
    assert described == {
        "question": QUESTION, "of": "reference", "function": "double", "line": 2, "operator": "call",
        "replace": "    return abs(2) * x", "with": "    return 2 * x",
    }  # fmt: skip


def test_the_table_of_scores_shows_every_number_on_80_columns(weak: Path) -> None:
    shown = StringIO()
    report = Runs(weak)()
    render(report, Console(width=80, file=shown))
    (row,) = (line.split() for line in shown.getvalue().splitlines() if line.startswith(QUESTION) and "%" in line)
    assert row == [QUESTION, "92.9%", "92.9%", str(report.scores[0].generated), *row[4:]]
    assert len(row) == 10 and all(cell.isdigit() for cell in row[4:])


def test_a_survivor_is_listed_and_needs_a_reason(weak: Path) -> None:
    report = Runs(weak)()
    (path,) = append_survivors(gradable(weak), report.survivors)
    assert path == weak / "solutions/tiny/equivalents" / f"{QUESTION}.yml"
    assert "- in: double\n  replace: return abs(2) * x\n  with: return 2 * x\n  reason: ''\n" in path.read_text()
    refused = Runs(weak)()
    assert "line 4: add the reason why no check can fail this mutant" in refused.problems[0]
    assert len(refused.survivors) == 1
    path.write_text(path.read_text().replace("reason: ''", "reason: Two is positive."))
    accepted = Runs(weak)()
    assert accepted.ok
    (score,) = accepted.scores
    assert (score.equivalent, score.survived, score.score) == (1, 0, 1.0)
    assert score.of_all < 1.0
    append_survivors(gradable(weak), report.survivors)
    assert path.read_text().count("in: double") == 1
    path.write_text("# none yet\n[]\n")
    append_survivors(gradable(weak), report.survivors)
    assert path.read_text().startswith("# none yet\n\n- in: double\n")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            "- {replace: return abs(2) * x, with: return 3 * x, reason: Odd.}",
            "no generated mutant is this one any more",
        ),
        (
            "- {replace: return abs(2) * x, with: return abs( 3) * x, reason: Odd.}",
            "this mutant is not equivalent: q01_",
        ),
        (
            "- {of: added, replace: return abs(2) * x, with: return 2 * x, reason: No.}",
            "no generated mutant is this one",
        ),
    ],
)
def test_an_entry_that_is_wrong_is_told(weak: Path, entry: str, problem: str) -> None:
    listed(weak, entry)
    assert any(each.startswith("solutions/tiny/equivalents/q01_double.yml, line 1: ") for each in Runs(weak)().problems)
    assert any(problem in each for each in Runs(weak)().problems)


def test_an_entry_that_fits_two_functions_names_one(weak: Path) -> None:
    (weak / "solutions/tiny" / f"{QUESTION}.py").write_text(f"{WEAK}\ndef other(x):\n    return abs(2) * x\n")
    listed(weak, "- {replace: return abs(2) * x, with: return 2 * x, reason: Two is positive.}")
    assert "this mutant is in several functions. Add 'in:' with one of double, other" in Runs(weak)().problems[0]


def test_a_list_with_an_unknown_key_is_refused(weak: Path) -> None:
    listed(weak, "- {replace: a, by: b, reason: c}")
    with pytest.raises(ConfigError, match=r"q01_double.yml, line 1: .*'by'"):
        Runs(weak)()


def listed(root: Path, text: str) -> None:
    path = root / "solutions/tiny/equivalents" / f"{QUESTION}.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_without_the_libraries_the_command_says_how_to_install_them(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation_module, "find_spec", lambda name: None)
    with pytest.raises(RequestError, match=r"which are not installed. Install them: pip install 'gradetape\[mutate\]'"):
        Runs(root)()


def test_the_command_needs_the_libraries_only_with_mutate() -> None:
    script = "import sys, gradetape.cli.verify; sys.exit(bool({'libcst', 'cosmic_ray'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_cache_that_cannot_be_used_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "file"))
    with pytest.raises(InfrastructureError, match="where verdicts of mutants are remembered, cannot be used"):
        Runs(root)()


def test_remembered_verdicts_are_for_their_owner_alone(root: Path) -> None:
    Runs(root)(sample=Sample(size=1))
    (file,) = root.parent.glob("cache/*/mutation.sqlite")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_cache_is_the_users_own(root: Path, tmp_path: Path) -> None:
    Runs(root)()
    folder = tmp_path / "cache/gradetape"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not any(b"return" in file.read_bytes() for file in folder.iterdir())


def test_checks_that_cannot_be_run_are_told(root: Path) -> None:
    broken = {"autograder/tiny/test_q01_double.py": "SyntaxError"}
    engine = MockEngine(answered, checks=CHECKS, broken=broken)
    with pytest.raises(CourseError, match="Some checks cannot be run:"):
        mutate(gradable(root), MutationRequest(question=QUESTION), open_engine=lambda *_: engine)
    assert mutate(gradable(root), MutationRequest(question="q02_halve"), open_engine=lambda *_: engine).ok


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--sample", "5"), "--sample, --seed, --at-least and --write-survivors go with --mutate: add it"),
        (("--mutate", "--seed", "5"), "--seed chooses a sample: add --sample N"),
        (("--mutate", "--repeat", "5"), "--mutate runs generated mutants only: leave out the options"),
    ],
)
def test_options_that_mean_nothing_are_refused(root: Path, arguments: tuple[str, ...], problem: str) -> None:
    run = called(root, "verify", "tiny", *arguments)
    assert run.returncode == 2
    assert problem in run.stderr


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GradableAssignment, LocalEngine]]:
    found = gradable(tiny(tmp_path_factory.mktemp("mutation") / "course"))
    with open_engine(found) as opened:
        assert isinstance(opened, LocalEngine)
        yield found, opened


def stopped(engine: tuple[GradableAssignment, LocalEngine], text: str, *only: str, **how: object) -> Outcome:
    """What becomes of a solution that stops at its first failed check."""
    found, opened = engine
    cells = tuple(msgspec.structs.replace(cell, source=text) for cell in found.reference[:1])
    return judge(opened, found.job(cells, found.course.config.limits.record(), only=only, stop_at_failure=True, **how))


def test_the_first_failed_check_is_the_last_in_the_jobs_own_order(
    engine: tuple[GradableAssignment, LocalEngine],
) -> None:
    outcome = stopped(engine, "def double(x):\n    return 5\n", HIDDEN, PUBLIC)
    assert [(result.check.id, result.verdict) for result in outcome.results] == [(HIDDEN, "failed")]
    outcome = stopped(engine, "def double(x):\n    return 2 * x if x != 2 else x\n", HIDDEN, PUBLIC)
    assert [(result.check.id, result.verdict) for result in outcome.results] == [(HIDDEN, "passed"), (PUBLIC, "failed")]


def test_a_solution_that_loops_for_ever_costs_the_time_of_one_short_limit(
    engine: tuple[GradableAssignment, LocalEngine],
) -> None:
    text, limit = "def double(x):\n    while True:\n        pass\n", CheckLimit(seconds=60.0, cpu_s=1.0)
    outcome = stopped(engine, text, PUBLIC, HIDDEN, check_limits={PUBLIC: limit, HIDDEN: limit})
    assert [result.verdict for result in outcome.results] == ["timeout"]
    assert outcome.seconds < 30


def test_the_command_prints_the_score_and_the_survivors(weak: Path) -> None:
    run = gradetape(weak, "verify", "tiny", "--question", QUESTION, "--mutate", "--sample", "30", "--json")
    report = json.loads(run.stdout)
    assert run.returncode == 1, run.stderr
    assert [each["with"] for each in report["survivors"]] == ["    return 2 * x"]
    assert report["questions"][0]["failed"] + 1 == report["questions"][0]["generated"]
    assert "at least 100% is due" in run.stderr
    again = called(weak, "verify", "tiny", "--question", QUESTION, "--mutate", "--at-least", "80", "--write-survivors")
    assert again.returncode == 0
    assert "-     return abs(2) * x\n+     return 2 * x" in again.stdout
    assert "Add the reasons in solutions/tiny/equivalents/q01_double.yml." in again.stderr
