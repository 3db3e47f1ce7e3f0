"""Generates mutants of an assignment's right solutions, runs them, and scores the checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.course.source import PythonSource
from gradetape.engine import Engine, EngineOptions, OpenEngine, open_engine
from gradetape.errors import CourseError, RequestError
from gradetape.verify.mutation.digests import Keys
from gradetape.verify.mutation.equivalents import ListedEquivalents
from gradetape.verify.mutation.history import KnownVerdicts
from gradetape.verify.mutation.memory import Memory, default_path
from gradetape.verify.mutation.records import GeneratedMutant, Result, Solution
from gradetape.verify.mutation.running import MutantRunner
from gradetape.verify.mutation.sample import Sample, drawn
from gradetape.verify.mutation.score import MutationReport

ProgressCallback = Callable[[int, int], None]
_AS_CONFIGURED = EngineOptions()


class MutationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which mutants to run: of one question or all, and all of them or a sample.

    `at_least` is the score, in percent, that each question must reach. With `fresh`, what earlier runs have decided is
    run again.
    """

    question: str | None = None
    sample: Sample | None = None
    at_least: float = 100.0
    fresh: bool = False


def mutate(
    gradable: GradableAssignment, request: MutationRequest, options: EngineOptions = _AS_CONFIGURED, *,
    progress: ProgressCallback = lambda *_: None, open_engine: OpenEngine = open_engine,
) -> MutationReport:  # fmt: skip
    """Runs generated mutants, and reports how each ended.

    `progress` is called with the number of finished mutants and their total. Raises RequestError without the libraries
    that it needs, CourseError if a right solution does not pass a check, InfrastructureError if the grader itself
    failed.
    """
    _require_libraries()
    from gradetape.verify.mutation.generate import generate

    question_ids = (request.question,) if request.question else gradable.assignment.question_ids
    listed = ListedEquivalents.read(gradable, question_ids)
    solutions = [solution for question_id in question_ids for solution in _solutions(gradable, question_id)]
    mutants = [mutant for solution in solutions for mutant in generate(solution)]
    chosen = drawn(mutants, request.sample) if request.sample else mutants
    with open_engine(gradable, options) as engine, Memory(default_path(), fresh=request.fresh) as memory:
        keys = Keys(gradable, engine.environment)
        known = KnownVerdicts(memory, keys, _checks(engine, memory, keys, question_ids))
        runner = MutantRunner(gradable, engine, known)
        results = _run(runner, solutions, chosen, progress)
    return MutationReport(
        assignment=gradable.assignment.name, questions=tuple(question_ids), results=listed.marked(results),
        wrong_entries=tuple(listed.problems(mutants, results)), at_least=request.at_least,
    )  # fmt: skip


def _run(
    runner: MutantRunner, solutions: Sequence[Solution], mutants: Sequence[GeneratedMutant], progress: ProgressCallback
) -> list[Result]:
    used = {(mutant.question, mutant.solution) for mutant in mutants}
    progress(0, len(mutants))
    runner.prove([solution for solution in solutions if (solution.question, solution.name) in used])
    done = iter(range(1, len(mutants) + 1))
    return runner.run(mutants, lambda: progress(next(done), len(mutants)))


def _solutions(gradable: GradableAssignment, question_id: str) -> list[Solution]:
    """The reference and the variants of a question."""
    key = gradable.answer_key
    files = [("reference", key.reference(question_id)), *((path.stem, path) for path in key.variants(question_id))]
    return [Solution(question=question_id, name=name, cells=PythonSource.read(path).code) for name, path in files]


def _checks(engine: Engine, memory: Memory, keys: Keys, question_ids: Sequence[str]) -> tuple[str, ...]:
    """The ids of the assignment's checks; the engine is asked only if they are not remembered."""
    if (known := memory.checks(keys.assignment)) is not None:
        return known
    collected = engine.collected
    broken = [f"{path}: {why}" for path, why in collected.broken.items() if any(each in path for each in question_ids)]
    if broken:
        raise CourseError("Some checks cannot be run:\n" + "\n".join(broken))
    ids = tuple(check.id for check in collected.checks)
    if not collected.broken:
        memory.keep_checks(keys.assignment, ids)
    return ids


def _require_libraries() -> None:
    """Raises RequestError if the optional libraries are missing."""
    missing = [name for name in ("cosmic_ray", "libcst") if find_spec(name) is None]
    if missing:
        raise RequestError(
            f"--mutate needs {' and '.join(missing)}, which are not installed. Install them: "
            "pip install 'gradetape[mutate]'"
        )
