"""What makes TensorFlow behave alike in every worker, whatever the machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from gradetape.runtime.launch import LocalZygote
from gradetape.worker import worker
from tests.remote_sessions import open_session, started


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started(isolation="none") as zygote:
        yield zygote


def test_a_product_is_computed_in_float32_and_not_in_fewer_bits(zygote: LocalZygote) -> None:
    with open_session(zygote, "import tensorflow as tf") as opened:
        assert opened.tf.config.experimental.tensor_float_32_execution_enabled() is False


def test_a_worker_uses_at_most_four_processors(zygote: LocalZygote) -> None:
    with open_session(zygote, "import os\nprocessors = len(os.sched_getaffinity(0))") as opened:
        assert opened.student.processors == min(len(os.sched_getaffinity(0)), 4)


def test_of_many_processors_each_worker_chooses_four(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[tuple[int, ...]] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, some: chosen.append(tuple(sorted(some))))
    for _ in range(20):
        worker._use_few_processors()
    assert all(len(set(some)) == 4 and set(some) <= set(range(64)) for some in chosen)
    assert len(set(chosen)) > 1
