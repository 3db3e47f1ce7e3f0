"""The mutation score of each question, and the survivors."""

from __future__ import annotations

from typing import Any

import msgspec

from gradetape.text import counted
from gradetape.verify.mutation.records import End, Result


class QuestionScore(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a question's mutants ended in which way; of those that `failed`, some `raised` an exception."""

    question: str
    generated: int
    failed: int
    raised: int
    timeout: int
    fault: int
    not_run: int
    equivalent: int
    survived: int

    @property
    def counted(self) -> int:
        """The number of mutants that run and are not equivalent."""
        return self.failed + self.timeout + self.fault + self.survived

    @property
    def score(self) -> float:
        """The share of the mutants that fail a check, of those that run and are not equivalent; 1 if there are none."""
        return (self.failed + self.timeout) / self.counted if self.counted else 1.0

    @property
    def of_all(self) -> float:
        """The share of the mutants that fail a check, of all that run; 1 if there are none."""
        counted = self.generated - self.not_run
        return (self.failed + self.timeout) / counted if counted else 1.0


class MutationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The ends of an assignment's mutants.

    `wrong_entries` describes what is wrong with the lists of equivalent mutants; `at_least` is the score, in percent,
    that each question must reach.
    """

    assignment: str
    questions: tuple[str, ...]
    results: tuple[Result, ...]
    wrong_entries: tuple[str, ...] = ()
    at_least: float = 100.0

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps the checks from being proven by their mutants."""
        low = [each for each in self.scores if 100 * each.score < self.at_least]
        idle = [each for each in self.scores if each.generated and each.generated == each.not_run]
        faults = [result for result in self.results if result.end is End.FAULT]
        return (
            *self.wrong_entries,
            *map(_fault, faults),
            *(self._too_low(each) for each in low),
            *map(_nothing_ran, idle),
        )

    @property
    def ok(self) -> bool:
        """Whether every question reaches its score, and every entry of the lists is right."""
        return not self.problems

    def _too_low(self, each: QuestionScore) -> str:
        return (
            f"{each.question}: {counted(each.survived, 'mutant')} passed every check: the score is {each.score:.1%}, "
            f"at least {self.at_least:g}% is due. Write a check that fails them, or list those that are equivalent: "
            "--write-survivors"
        )

    @property
    def survivors(self) -> tuple[Result, ...]:
        """The mutants that pass every check, without those that are listed as equivalent."""
        return tuple(result for result in self.results if result.end is End.SURVIVED)

    @property
    def scores(self) -> tuple[QuestionScore, ...]:
        """The score of each question."""
        return tuple(self._score(question_id) for question_id in self.questions)

    def _score(self, question_id: str) -> QuestionScore:
        results = [result for result in self.results if result.mutant.question == question_id]
        ends = [result.end for result in results]
        raised = sum(result.raised for result in results)
        return QuestionScore(
            question=question_id, generated=len(ends), failed=ends.count(End.FAILED), raised=raised,
            timeout=ends.count(End.TIMEOUT), fault=ends.count(End.FAULT),
            not_run=ends.count(End.NOT_RUN), equivalent=ends.count(End.EQUIVALENT), survived=ends.count(End.SURVIVED),
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """The report as the object that `--json` prints."""
        return {
            "assignment": self.assignment, "ok": self.ok, "problems": list(self.problems),
            "questions": [
                {
                    "question": each.question, "score": round(each.score, 4), "of_all": round(each.of_all, 4),
                    "generated": each.generated,
                    "failed": each.failed, "raised": each.raised, "timeout": each.timeout, "fault": each.fault,
                    "does_not_run": each.not_run, "equivalent": each.equivalent, "survived": each.survived,
                }
                for each in self.scores
            ],
            "survivors": [
                {
                    "question": each.mutant.question, "of": each.mutant.solution, "function": each.mutant.function,
                    "line": each.mutant.line, "operator": each.mutant.operator,
                    "replace": each.mutant.change.replace, "with": each.mutant.change.by,
                }
                for each in self.survivors
            ],
        }  # fmt: skip


def _fault(result: Result) -> str:
    where = f"{result.mutant.solution}, line {result.mutant.line}"
    return (
        f"{result.check} itself raises an exception on a mutant ({where}: {result.mutant.operator}) before it has "
        "received a value, which costs a student nothing. Correct the check."
    )


def _nothing_ran(each: QuestionScore) -> str:
    mutants = counted(each.generated, "mutant")
    return f"{each.question}: none of {mutants} runs, which says nothing of its checks. Take a larger --sample, or none"
