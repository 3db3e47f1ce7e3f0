"""Builds grades from outcomes and from question results that are known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.gradebook import QuestionResult, Run
from gradetape.grading.composition import GradedSubmission, merged, results_of, run_of
from gradetape.grading.concerns import concerns_of
from gradetape.grading.question_keys import QuestionKey, QuestionKeys
from gradetape.grading.rubric import Rubric
from gradetape.grading.words import CheckWords
from gradetape.records import Cell, CheckResult, Environment, Grade, Outcome, Status, Submission, Verdict
from gradetape.text import few

_CODE_LIMIT = 500_000  # characters of code that a grade keeps
_REMEMBERED = 1024
LEFT_OUT = "not graded with the current checks"


class GradeBuilder:
    """Builds grades from outcomes and stored question results, and the keys that decide what has to be judged.

    With `question`, only that question is judged; the grade has the others as far as their results are known.
    """

    def __init__(self, gradable: GradableAssignment, environment: Environment, *, question: str | None = None) -> None:
        self.question_ids = (question,) if question else gradable.assignment.question_ids
        self.keys = QuestionKeys(gradable, environment)
        self._words = CheckWords(gradable, self.keys)
        self._gradable = gradable
        self._environment = environment
        self._keys_of = lru_cache(maxsize=_REMEMBERED)(self._digested)

    def question_keys(self, submission: Submission) -> tuple[QuestionKey, ...]:
        """The keys of the results of all questions; those of the last submissions are remembered."""
        return self._keys_of(submission.cells, self.keys.learned)

    def _digested(self, cells: tuple[Cell, ...], _: int) -> tuple[QuestionKey, ...]:
        return self.keys.of(cells, self._gradable.assignment.question_ids)

    def key(self, submission: Submission) -> str:
        """The digest of everything that decides the grade: what decides its results, and what is read in it."""
        digests = [key.digest for key in self.question_keys(submission)]
        return digest_of([submission.sha256, submission.student, *digests, *submission.notes, self._words.digest])

    def graded(
        self, rubric: Rubric, submission: Submission, outcome: Outcome | None, stored: Sequence[QuestionResult] = ()
    ) -> GradedSubmission:
        """The grade, composed of stored results and of a job's outcome for the other questions, and the new results.

        With a fault, or without all questions, the grade needs attention.
        """
        have = {result.question for result in stored}
        judged = [each for each in self.question_ids if each not in have]
        outcome = outcome or Outcome(results=())
        keys = [key for key in self.question_keys(submission) if key.question in judged]
        completed = rubric.complete(outcome.results, judged)
        results = results_of(keys, outcome, completed)
        grade = self._made(rubric, submission, stored, completed, run_of(outcome) if judged else None)
        return GradedSubmission(grade, results, {each.question: each.digest for each in (*stored, *results)})

    def lost(
        self, rubric: Rubric, submission: Submission, reason: str, stored: Sequence[QuestionResult] = ()
    ) -> GradedSubmission:
        """A grade without the results that were to be judged, which is never final."""
        lost = f"the grader's infrastructure failed twice, the second time after a restart: {reason}"
        grade = self._made(rubric, submission, stored, (), None, lost)
        return GradedSubmission(grade, (), {each.question: each.digest for each in stored})

    def _made(
        self, rubric: Rubric, submission: Submission, stored: Sequence[QuestionResult],
        judged: Sequence[CheckResult], new: Run | None, lost: str = "",
    ) -> Grade:  # fmt: skip
        assignment = self._gradable.assignment
        have = {*self.question_ids, *(each.question for each in stored)}
        found = rubric.complete((*(result for each in stored for result in each.results), *judged), have)
        faults = [_fault_message(result) for result in found if result.verdict is Verdict.FAULT]
        attention = (*([lost] if lost else faults), *self._left_out(have))
        cells = self._gradable.attributed(submission.cells)
        run = merged(stored, new, cells)
        return Grade(
            assignment=assignment.name, student=submission.student, file=submission.file, sha256=submission.sha256,
            key=self.key(submission), status=Status.NEEDS_ATTENTION if attention else Status.GRADED,
            isolation=self._environment.isolation, events=run.events, notes=submission.notes,
            results=self._words.added(submission, found), attention=attention,
            layers=run.layers, devices=run.devices, seconds=run.seconds, review=run.review,
            questions=tuple(question for question in assignment.questions if question.id in have),
            versions=self._environment.versions | run.versions, modified=submission.modified,
            origin=submission.origin, cells=_kept(cells),
            concerns=concerns_of(self._gradable, cells, run.events, found),
        )  # fmt: skip

    def _left_out(self, have: Collection[str]) -> Iterator[str]:
        """Why a grade does not have all questions."""
        missing = [each for each in self._gradable.assignment.question_ids if each not in have]
        if missing:
            yield f"{LEFT_OUT}: {few(missing)}. Grade without --question."


def _kept(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells for the pages: of a submission that is far too long, the text of the first ones."""
    left, kept = _CODE_LIMIT, list[Cell]()
    for cell in cells:
        kept.append(Cell(source=cell.source[: max(left, 0)], question=cell.question))
        left -= len(cell.source)
    return tuple(kept)


def _fault_message(result: CheckResult) -> str:
    why = result.staff_message.strip().partition("\n")[0] or "the grader could not judge it"
    return f"{result.check.id}: {why}"
