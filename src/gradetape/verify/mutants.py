"""The mutants of a question: those that are patches of a right solution, and those that are whole files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from gradetape.course.answer_key import AnswerKey
from gradetape.course.source import PythonSource
from gradetape.course.strict_yaml import read_list
from gradetape.errors import ConfigError, CourseError
from gradetape.text import did_you_mean
from gradetape.verify.headers import header_of
from gradetape.verify.patches import Patch, PatchedSource, edits_of, patched

_UNSAID = {
    True: "add a line such as 'fails: [hidden::test_x]' that names the checks that must fail",
    False: "add a line such as '# fails: hidden::test_x' that names the checks that must fail",
}


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """A solution with one mistake; `fails` holds ids without the question, such as `hidden::test_asymmetry`.

    `breaks` holds the ids of the prompt's requirements that it violates, `place` says where it is written. A draft,
    whose author has not said yet which checks must fail, has no `fails`. The checks in `may_fail` may fail or pass, as
    the seed has it. `written` holds the lists in its header under their keys, `fails` and `fails_legacy`.
    """

    question: str
    name: str
    source: PythonSource
    misconception: str
    fails: tuple[str, ...]
    may_fail: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    place: str
    written: Mapping[str, tuple[str, ...]] = {}

    @property
    def expected(self) -> tuple[str, ...]:
        """The full ids of the checks that must fail."""
        return tuple(f"{self.question}::{name}" for name in self.fails)

    @property
    def possible(self) -> tuple[str, ...]:
        """The full ids of the checks that may fail or pass."""
        return tuple(f"{self.question}::{name}" for name in self.may_fail)

    @property
    def patched(self) -> bool:
        """Whether it is a patch, and not a whole file."""
        return isinstance(self.source, PatchedSource)

    @property
    def label(self) -> str:
        """Its question and its name."""
        return f"{self.question}/{self.name}"


def mutants_of(answer_key: AnswerKey, question_id: str, *, legacy: bool, drafts: bool = False) -> tuple[Mutant, ...]:
    """The mutants of a question, by name; only with `drafts` may they leave out which checks must fail.

    Raises CourseError or ConfigError with everything that is wrong.
    """
    found: list[Mutant] = []
    problems: list[str] = []
    for read in (_patches, _files):
        try:
            found += read(answer_key, question_id, legacy)
        except (ConfigError, CourseError) as problem:
            problems.append(str(problem))
    problems += _duplicates(found)
    if not drafts:
        problems += [f"{mutant.place}: {_UNSAID[mutant.patched]}" for mutant in found if not mutant.fails]
    if problems:
        raise CourseError("\n".join(problems))
    return tuple(sorted(found, key=lambda mutant: mutant.name))


def _files(answer_key: AnswerKey, question_id: str, legacy: bool) -> list[Mutant]:
    return [_file(path, question_id, legacy) for path in answer_key.mutants(question_id)]


def _file(path: Path, question_id: str, legacy: bool) -> Mutant:
    header = header_of(path, legacy=legacy)
    return Mutant(
        question=question_id, name=path.stem, source=PythonSource.read(path), misconception=header.misconception,
        fails=header.fails, may_fail=header.may_fail, breaks=header.breaks, place=str(path), written=header.written,
    )  # fmt: skip


def _patches(answer_key: AnswerKey, question_id: str, legacy: bool) -> list[Mutant]:
    path = answer_key.patches(question_id)
    if not path.is_file():
        return []
    solutions = {file.stem: file for file in answer_key.variants(question_id)}
    found: list[Mutant] = []
    problems: list[str] = []
    for line, patch in read_list(path, Patch, shown=str(path)):
        if legacy and patch.fails_legacy == ():
            continue
        try:
            original = _original(patch, answer_key.reference(question_id), solutions)
            source = PatchedSource(path, patched(PythonSource.read(original), edits_of(patch)), line)
            found.append(_mutant(patch, source, question_id, legacy))
        except CourseError as problem:
            problems.append(f"{path}, line {line} ({patch.name}): {problem}")
    if problems:
        raise CourseError("\n".join(problems))
    return found


def _original(patch: Patch, reference: Path, variants: dict[str, Path]) -> Path:
    """The solution that is patched."""
    if patch.of is None:
        return reference
    if patch.of not in variants:
        near = did_you_mean(patch.of, variants)
        known = ", ".join(variants) or "none"
        raise CourseError(f"there is no variant {patch.of!r} for 'of'.{near} Variants: {known}.")
    return variants[patch.of]


def _mutant(patch: Patch, source: PatchedSource, question_id: str, legacy: bool) -> Mutant:
    fails = (patch.fails_legacy if legacy else None) or patch.fails or ()
    written = {"fails": patch.fails, "fails_legacy": patch.fails_legacy}
    return Mutant(
        question=question_id, name=patch.name, source=source, misconception=" ".join(patch.misconception.split()),
        fails=fails, may_fail=patch.may_fail, breaks=patch.breaks,
        place=f"{source.path}, line {source.patch_line} ({patch.name})",
        written={key: value for key, value in written.items() if value},
    )  # fmt: skip


def _duplicates(mutants: Sequence[Mutant]) -> Iterator[str]:
    first: dict[str, Mutant] = {}
    for mutant in mutants:
        known = first.setdefault(mutant.name, mutant)
        if known is not mutant:
            yield f"{mutant.place}: the name {mutant.name!r} is taken by {known.place}: choose another"
