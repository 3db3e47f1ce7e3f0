"""The reference solution is judged before anybody else: a check that it does not pass cannot be trusted.

What it gets in a question is a question result like any other, so it is judged again only where something changed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gradetape.course.gradable import GradableAssignment
from gradetape.course.unchanged import refuse_changed
from gradetape.engine import Engine, judge
from gradetape.errors import CourseError, InfrastructureError
from gradetape.gradebook import Gradebook, QuestionResult
from gradetape.grading.composition import results_of
from gradetape.grading.question_keys import QuestionKey, QuestionKeys
from gradetape.grading.rubric import Rubric
from gradetape.grading.side_by_side import ReferenceTimes
from gradetape.records import Outcome


class ReferenceProof:
    """Finds the checks that can be trusted, and remembers in the gradebook which questions were proven."""

    def __init__(self, gradable: GradableAssignment, engine: Engine, book: Gradebook, keys: QuestionKeys) -> None:
        self._gradable = gradable
        self._engine = engine
        self._book = book
        self._keys = keys

    def rubric(self, question: str | None, *, again: bool = False) -> Rubric:
        """The rubric, after judging the reference where it is not proven; `again` judges what is asked for once more.

        With `question`, the rubric has that question and those that are proven already. Raises GradetapeError.
        """
        question_ids = self._gradable.assignment.question_ids
        keys = {key.question: key for key in self._keys.of_reference(question_ids)}
        asked = question_ids if question is None else [question]
        usable = [key.digest for key in keys.values() if not (again and key.question in asked)]
        known = self._book.question_results(usable)
        proven = {result.question: result for result in known.values()}
        wanted = [each for each in question_ids if question in (None, each) or each in proven]
        rubric = self._collected(wanted, question)
        for result in proven.values():
            rubric = rubric.proven(Outcome(results=(), sent_bytes=result.sent_bytes))
        left = [keys[each] for each in wanted if each not in proven]
        results = list(proven.values())
        if rubric.sound_in([key.question for key in left]):
            rubric, judged = self._judged(rubric, left)
            results += judged
        self._keys.learn(rubric.sent_bytes)
        return replace(rubric, times=ReferenceTimes.of(results))

    def _collected(self, question_ids: Collection[str], question: str | None) -> Rubric:
        """The rubric of the collected checks; where one question is asked for, another one does no harm."""
        if not question_ids:
            return Rubric(self._gradable, (), {})
        collected = self._engine.collected
        # A result of other checks than those that its key is of would be found under that key from now on.
        refuse_changed(self._gradable.course.root, self._gradable.read_checks)
        if question is None:
            return Rubric.of(self._gradable, collected)
        rubric = Rubric.of(self._gradable, collected, [question])
        try:
            return Rubric.of(self._gradable, collected, question_ids)
        except CourseError:
            return rubric

    def _judged(self, rubric: Rubric, keys: Collection[QuestionKey]) -> tuple[Rubric, tuple[QuestionResult, ...]]:
        """Judges the reference, at most twice; returns the rubric, and the results that were recorded."""
        limits = self._gradable.course.config.limits.record()
        only = rubric.sound_in([key.question for key in keys])
        job = self._gradable.job(self._gradable.reference, limits, trusted=True, only=only)
        try:
            outcome = judge(self._engine, job)
        except InfrastructureError:
            outcome = None
        if outcome is None or rubric.proven(outcome).faults != rubric.faults:
            self._engine.renew()
            outcome = judge(self._engine, job)
        proven = rubric.proven(outcome)
        completed = proven.complete(outcome.results, [key.question for key in keys])
        results = results_of(keys, outcome, completed)
        self._book.keep(self._gradable.assignment.name, results)
        return proven, results
