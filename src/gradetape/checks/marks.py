"""The marks that `judge.registry` declares, and the decorator for functions that run in the worker.

Each mark is a function, so that `help` describes it; pytest's own marks have no docstrings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gradetape.remote.functions import WorkerFunction
from gradetape.remote.handles import InvalidArgumentError

in_worker = WorkerFunction

__all__ = [
    "InvalidArgumentError",
    "by_testimony",
    "cross_checked",
    "gpu",
    "hint",
    "in_worker",
    "limit",
    "points",
    "proves",
]  # fmt: skip


def points(number: float) -> pytest.MarkDecorator:
    """Set the points of a check; those of all checks of a question add up to its points in assignment.yml.

    @points(2)
    def test_asymmetry(student, rng): ...
    """
    return pytest.mark.points(number)


def hint(text: str) -> pytest.MarkDecorator:
    """Set what students read when the check does not pass; of a hidden check they read only this and its title.

    @hint("Which residuals are weighted by the quantile, and which by one minus it?")
    def test_asymmetry(student, rng): ...
    """
    return pytest.mark.hint(text)


def proves(*requirements: str) -> pytest.MarkDecorator:
    """Name the requirements of the prompt that a check proves: the ids in `<!-- requirement: ID -->`.

    @proves("empty-row", "row-per-sentence")
    def test_rows(student, rng): ...
    """
    return pytest.mark.proves(*requirements)


def limit(seconds: float) -> pytest.MarkDecorator:
    """Give a check this many seconds, instead of `check_s` in grader_config.yml.

    @limit(60)
    def test_learns(student, rng): ...
    """
    return pytest.mark.limit(seconds)


def gpu(check: Callable[..., Any]) -> Any:
    """Skip a check on machines without a GPU.

    @gpu
    def test_memory(student, tf): ...
    """
    return pytest.mark.gpu(check)


def by_testimony(check: Callable[..., Any]) -> Any:
    """State that a check rests on what only the student's worker can say, such as the type of an exception.

    @by_testimony
    def test_refuses(student): ...
    """
    return pytest.mark.by_testimony(check)


def cross_checked(check: Callable[..., Any]) -> Any:
    """State that a check compares what the student's worker says with what it cannot have known.

    @cross_checked
    def test_two_objects(student, rng): ...
    """
    return pytest.mark.cross_checked(check)
