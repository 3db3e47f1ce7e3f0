"""Whether every requirement of a prompt is proven: by checks that name it, and by mutants that break it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gradetape.course.requirements import REQUIREMENT_ID, Requirement, misspelt, requirements_of
from gradetape.records import Check
from gradetape.text import did_you_mean
from gradetape.verify.trials import Trial


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A question's prompt: its path below the course's folder, and its requirements.

    `misspelt` holds comments that look like a requirement's and are none, each with its line.
    """

    question: str
    path: str
    requirements: tuple[Requirement, ...] = ()
    misspelt: tuple[tuple[int, str], ...] = ()

    @classmethod
    def read(cls, question: str, path: Path, root: Path) -> Prompt:
        """The prompt of a file."""
        text = path.read_text(encoding="utf-8-sig")
        return cls(
            question=question, path=path.relative_to(root).as_posix(), requirements=requirements_of(text),
            misspelt=tuple(misspelt(text)),
        )  # fmt: skip

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its requirements, each once."""
        return tuple(dict.fromkeys(requirement.id for requirement in self.requirements))

    def uses_ids(self, checks: Sequence[Check]) -> bool:
        """Whether the prompt or a check of the question names requirements."""
        return bool(self.requirements) or any(check.requirements for check in _own(self, checks))


class _Question(msgspec.Struct, frozen=True):
    """A prompt with the checks and the mutants of its question; `unclear` are ids of checks that show nothing."""

    prompt: Prompt
    checks: tuple[Check, ...]
    mutants: tuple[Trial, ...]
    unclear: Collection[str]

    def proving(self, requirement_id: str) -> set[str]:
        """The ids of the checks that prove a requirement."""
        return {check.id for check in self.checks if requirement_id in check.requirements}


def coverage_problems(
    prompts: Sequence[Prompt], checks: Sequence[Check], mutants: Sequence[Trial], unclear: Collection[str]
) -> Iterator[str]:
    """What is missing for a proof of every requirement; questions without any ids have no problems.

    `unclear` are the ids of checks that were skipped or that cannot be trusted: what rests on them is not reported.
    """
    for prompt in prompts:
        yield from (
            f"{prompt.path}, line {line}: students would read the comment {text!r}. "
            "Write it as <!-- requirement: empty-row -->"
            for line, text in prompt.misspelt
        )
        if prompt.uses_ids(checks):
            question = _Question(prompt, _own(prompt, checks), _own(prompt, mutants), unclear)
            yield from _unfit_ids(prompt)
            yield from _unknown_ids(question)
            yield from _unchecked(question)
            yield from _unshown(question)


def coverage_notes(prompts: Sequence[Prompt], checks: Sequence[Check]) -> Iterator[str]:
    """One note that names the questions without ids."""
    without = [prompt.question for prompt in prompts if not prompt.uses_ids(checks)]
    if without:
        have = "has" if len(without) == 1 else "have"
        yield (
            f"{', '.join(without)} {have} no requirement ids in the prompt, "
            "so it is not known whether the checks test every requirement"
        )


def requirements_as_json(
    prompts: Sequence[Prompt], checks: Sequence[Check], mutants: Sequence[Trial]
) -> list[dict[str, Any]]:
    """Each requirement with the checks that prove it, and the mutants that break it and fail one of them."""
    found: list[dict[str, Any]] = []
    for prompt in prompts:
        question = _Question(prompt, _own(prompt, checks), _own(prompt, mutants), ())
        for requirement in prompt.requirements:
            proving = [check for check in question.checks if requirement.id in check.requirements]
            shown = showing(requirement.id, [check.id for check in proving], question.mutants)
            found.append({
                "question": prompt.question, "id": requirement.id, "text": requirement.text, "line": requirement.line,
                "checks": [check.short_id for check in proving],
                "mutants": [mutant.name for mutant in shown],
            })  # fmt: skip
    return found


def showing(requirement_id: str, proving: Collection[str], mutants: Sequence[Trial]) -> Iterator[Trial]:
    """The mutants that break a requirement and fail a check that proves it."""
    for mutant in mutants:
        if requirement_id in mutant.breaks and not mutant.unloaded and not set(proving).isdisjoint(mutant.failed):
            yield mutant


def _own(prompt: Prompt, items: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(item for item in items if item.question == prompt.question)


def _unfit_ids(prompt: Prompt) -> Iterator[str]:
    lines: dict[str, int] = {}
    for requirement in prompt.requirements:
        place = f"{prompt.path}, line {requirement.line}"
        if not REQUIREMENT_ID.fullmatch(requirement.id):
            yield f"{place}: {requirement.id!r} is not an id. Write words with hyphens in lower case, like empty-row"
        if requirement.id in lines:
            yield f"{place}: line {lines[requirement.id]} has the id {requirement.id!r} too. Choose another"
        if not requirement.text:
            yield f"{place}: no text follows the comment of {requirement.id!r}. Put it directly before the text"
        lines.setdefault(requirement.id, requirement.line)


def _unknown_ids(question: _Question) -> Iterator[str]:
    named = [
        *((f"{check.id} proves", check.requirements) for check in question.checks),
        *((f"{mutant.place}: it breaks", mutant.breaks) for mutant in question.mutants),
    ]
    for what, ids in named:
        for unknown in (each for each in ids if each not in question.prompt.ids):
            near = did_you_mean(unknown, question.prompt.ids)
            advice = near or f" Add <!-- requirement: {unknown} --> there, or remove it here."
            yield f"{what} {unknown!r}, which is not a requirement in {question.prompt.path}.{advice}"


def _unchecked(question: _Question) -> Iterator[str]:
    """Requirements without a check, checks without a requirement, and mutants without one."""
    for requirement in question.prompt.requirements:
        if not question.proving(requirement.id):
            place = f"{question.prompt.path}, line {requirement.line}"
            advice = f"Add @proves({requirement.id!r}) to a check that tests it"
            yield f"{place}: no check proves {requirement.id!r}. {advice}"
    for check in question.checks:
        if not check.requirements and check.id not in question.unclear:
            yield f"{check.id} proves no requirement. Add @proves with ids from {question.prompt.path}"
    for mutant in question.mutants:
        if not mutant.breaks:
            advice = f"Add breaks: {_proposed(question, mutant)}"
            yield f"{mutant.place}: it does not say which requirement it breaks. {advice}"


def _proposed(question: _Question, mutant: Trial) -> str:
    """What a mutant that says nothing may break: the requirements that the checks that it fails prove."""
    failed = [check for check in question.checks if check.id in mutant.failed]
    return ", ".join(proposed_breaks(failed)) or "an id of the prompt"


def proposed_breaks(failed: Sequence[Check]) -> tuple[str, ...]:
    """The requirements that most of these checks prove, in their order."""
    ids = [each for check in failed for each in check.requirements]
    most = max(map(ids.count, ids), default=0)
    return tuple(dict.fromkeys(each for each in ids if ids.count(each) == most))


def _unshown(question: _Question) -> Iterator[str]:
    """Requirements that no mutant shows, and mutants whose failed checks do not prove what they break."""
    for requirement in question.prompt.requirements:
        proving = question.proving(requirement.id)
        shown = any(showing(requirement.id, proving, question.mutants))
        if proving and not shown and proving.isdisjoint(question.unclear):
            place = f"{question.prompt.path}, line {requirement.line}"
            yield f"{place}: no mutant breaks {requirement.id!r} and fails a check that proves it. Add such a mutant"
    for mutant in question.mutants:
        known = [each for each in mutant.breaks if question.proving(each)]
        if mutant.failed and not mutant.unloaded:
            for each in known:
                if question.proving(each).isdisjoint({*mutant.failed, *question.unclear}):
                    yield f"{mutant.place}: it breaks {each!r}, which none of the checks that it fails proves"
