"""Cells run in a worker as they run in a kernel."""

from __future__ import annotations

import pytest

from tests.kernel_notebooks import NOTEBOOKS
from tests.kernel_runs import Ran, in_kernels, in_workers

ASPECTS = ("names", "values", "errors", "text")


@pytest.fixture(scope="module")
def in_both() -> dict[str, tuple[Ran, Ran]]:
    """What came of each notebook in a kernel and in a worker."""
    cells = {name: notebook.cells for name, notebook in NOTEBOOKS.items()}
    kernels, workers = in_kernels(cells), in_workers(cells)
    return {name: (kernels[name], workers[name]) for name in NOTEBOOKS}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_ends_in_a_worker_as_in_a_kernel(in_both: dict[str, tuple[Ran, Ran]], name: str) -> None:
    kernel, worker = in_both[name]
    differs = NOTEBOOKS[name].differs
    compared = [aspect for aspect in ASPECTS if aspect not in differs]
    assert {each: getattr(worker, each) for each in compared} == {each: getattr(kernel, each) for each in compared}


def test_what_is_said_to_differ_does(in_both: dict[str, tuple[Ran, Ran]]) -> None:
    """An exception that is no longer needed is removed."""
    listed = [(name, aspect) for name, notebook in NOTEBOOKS.items() for aspect in notebook.differs]
    alike = [
        (name, each) for name, each in listed if getattr(in_both[name][0], each) == getattr(in_both[name][1], each)
    ]
    assert alike == []


def test_the_corpus_is_large_enough() -> None:
    assert len(NOTEBOOKS) >= 60
