"""Runs every solution of an assignment and collects the proof of its checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

from gradetape import scaffold
from gradetape.course import packages
from gradetape.course.gradable import GradableAssignment
from gradetape.course.source import PythonSource
from gradetape.engine import Engine, EngineOptions, open_engine
from gradetape.errors import CourseError, ReleaseError
from gradetape.grading.rubric import Rubric
from gradetape.records import Outcome
from gradetape.release import refuse_unfit
from gradetape.verify.coverage import Prompt
from gradetape.verify.jobs import run_all
from gradetape.verify.loading import not_loaded, not_parsed
from gradetape.verify.mutants import mutants_of
from gradetape.verify.outcomes import Outcomes
from gradetape.verify.plans import Plan, Planner, refuse_unknown
from gradetape.verify.proof import Proof
from gradetape.verify.recall import Recall, Recalled
from gradetape.verify.scope import Mutants, Scope
from gradetape.verify.trials import Trial
from gradetape.verify.waivers import Waiver, waivers_in

ProgressCallback = Callable[[int, int], None]
EntersEngine = Callable[[GradableAssignment, EngineOptions], AbstractContextManager[Engine]]
_AS_CONFIGURED = EngineOptions()
_EVERYTHING = Scope()


def verify(
    gradable: GradableAssignment, options: EngineOptions = _AS_CONFIGURED, *, question: str | None = None,
    repeat: int = 1, scope: Scope = _EVERYTHING, drafts: bool = False,
    progress: ProgressCallback = lambda *_: None, open_engine: EntersEngine = open_engine,
    outcomes: Outcomes | None = None,
) -> Proof:  # fmt: skip
    """Runs every solution of an assignment or of one question, and returns the proof of its checks.

    The right solutions are run `repeat` times, to find flaky checks. With `drafts`, mutants may leave out which checks
    must fail. `progress` is called with the number of finished solutions and their total. `outcomes` remembers what
    solutions got in checks, so that only those pairs run of which something has changed.

    Raises CourseError if the question sources or the answer key are wrong, RequestError for a check or a mutant that
    does not exist, InfrastructureError if the grader itself failed.
    """
    gradable = gradable.read_again()
    unready = _unready(gradable, question)
    asked = (question,) if question else gradable.assignment.question_ids
    question_ids = [question_id for question_id in asked if question_id not in unready]
    if not question_ids:
        return Proof(assignment=gradable.assignment.name, unready=unready)
    _refuse_unfit(gradable, question_ids)
    _refuse_lacking(gradable, options)
    mutants = scope.of(_mutants(gradable, question_ids, drafts))
    waivers = _waivers(gradable, question_ids)

    def plans_for(rubric: Rubric) -> list[Plan]:
        return list(Planner(gradable, scope.rubric(rubric), mutants, scope).plans(repeat))

    with open_engine(gradable, options) as engine:
        recall = Recall(gradable, engine, Outcomes() if outcomes is None else outcomes)
        rubric = Rubric.of(gradable, recall.collected(question_ids, plans_for), question_ids)
        refuse_unknown(mutants, rubric)
        plans, rubric = plans_for(rubric), scope.rubric(rubric)
        known = [recall.of(plan, rubric) for plan in plans]
        found = _run(engine, plans, recall, known, progress)
    return Proof(
        assignment=gradable.assignment.name, checks=rubric.checks, faults=rubric.faults, unready=unready,
        trials=tuple(_trial(gradable, plan, outcome) for plan, outcome in zip(plans, found, strict=True)),
        prompts=_prompts(gradable, question_ids), waivers=waivers, partial=scope.partial, brief=scope.brief,
        recalled=sum(len(each.results) for each in known),
    )  # fmt: skip


def _unready(gradable: GradableAssignment, question: str | None) -> dict[str, tuple[str, ...]]:
    """The placeholders of one question, or of all questions and the introduction."""
    root = gradable.course.root
    return {
        name: tuple(path.relative_to(root).as_posix() for path in paths)
        for name, paths in scaffold.unready(gradable.assignment, gradable.answer_key).items()
        if question in (None, name)
    }


def _refuse_unfit(gradable: GradableAssignment, question_ids: Sequence[str]) -> None:
    """Raises CourseError if students' files or any reference are broken: all references are run for any question."""
    problems = [
        problem
        for question_id in gradable.assignment.question_ids
        for problem in not_parsed(gradable.answer_key.reference(question_id))
    ]
    for source in gradable.assignment.question_sources:
        if source.question.id in question_ids:
            try:
                refuse_unfit(source)
            except ReleaseError as error:
                problems.append(str(error))
    if problems:
        raise CourseError("\n".join(problems))


def _refuse_lacking(gradable: GradableAssignment, options: EngineOptions) -> None:
    """Raises CourseError if this environment lacks the assignment's packages; an image has its own."""
    isolation = options.isolation or gradable.course.config.isolation
    if isolation != "container" and (wrong := packages.lacking(gradable.assignment.packages)):
        raise CourseError(
            f"assignments/{gradable.assignment.name}/assignment.yml lists packages that this environment lacks: "
            f"{packages.description(wrong)}. Install them: {packages.install(wrong)}"
        )


def _mutants(gradable: GradableAssignment, question_ids: Sequence[str], drafts: bool) -> Mutants:
    """The mutants by question, read before anything is started."""
    legacy = gradable.course.config.keras == "legacy"
    return {each: mutants_of(gradable.answer_key, each, legacy=legacy, drafts=drafts) for each in question_ids}


def _waivers(gradable: GradableAssignment, question_ids: Sequence[str]) -> tuple[Waiver, ...]:
    path = gradable.answer_key.waivers
    shown = path.relative_to(gradable.course.root).as_posix()
    waivers = waivers_in(path, shown, gradable.assignment.question_ids)
    return tuple(waiver for waiver in waivers if waiver.question in question_ids)


def _prompts(gradable: GradableAssignment, question_ids: Sequence[str]) -> tuple[Prompt, ...]:
    return tuple(
        Prompt.read(source.question.id, source.prompt, gradable.course.root)
        for source in gradable.assignment.question_sources
        if source.question.id in question_ids
    )


def _trial(gradable: GradableAssignment, plan: Plan, outcome: Outcome) -> Trial:
    def source_of(question_id: str) -> PythonSource:
        return plan.source or PythonSource.read(gradable.answer_key.reference(question_id))

    has_to_run = plan.kind in ("reference", "variant", "mutant")
    unloaded = not_loaded(plan.job.cells, outcome.events, source_of) if has_to_run else {}
    questions = {result.check.question for result in outcome.results}
    mutant = plan.mutant
    about = (mutant.breaks, mutant.misconception, mutant.place) if mutant else ((), "", "")
    return Trial(
        kind=plan.kind, name=plan.name, question=plan.question, expected=plan.expected,
        possible=mutant.possible if mutant else (), results=outcome.results,
        unloaded={question_id: reason for question_id, reason in unloaded.items() if question_id in questions},
        breaks=about[0], misconception=about[1], place=about[2],
    )  # fmt: skip


def _run(
    engine: Engine, plans: Sequence[Plan], recall: Recall, known: Sequence[Recalled], progress: ProgressCallback
) -> list[Outcome]:
    """The outcomes of all plans, in order; only what is not known runs. Raises InfrastructureError for a lost one."""
    found = {index: old.whole(plans[index].job) for index, old in enumerate(known) if not old.left}
    left = [index for index in range(len(plans)) if index not in found]
    progress(len(found), len(plans))

    def ended(number: int, outcome: Outcome) -> None:
        index = left[number]
        recall.keep(plans[index], outcome)
        found[index] = known[index].whole(plans[index].job, outcome)
        progress(len(found), len(plans))

    def name(number: int) -> str:
        return f"{plans[left[number]].kind} {plans[left[number]].name}"

    run_all(engine, [partial(known[index].job, plans[index].job) for index in left], ended, name=name)
    return [found[index] for index in range(len(plans))]
