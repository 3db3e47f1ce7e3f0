"""The image that `make image-ci` builds; without it these tests have nothing to run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from gradetape.records import Slot
from gradetape.runtime.container import ContainerSpec, ContainerZygote
from gradetape.runtime.container_engine import ContainerEngine
from tests.remote_sessions import LIMITS


@pytest.fixture(scope="session")
def container() -> ContainerSpec:
    """The engine and the image under test."""
    image = os.environ.get("GRADETAPE_TEST_IMAGE")
    if not image:
        pytest.skip("there is no image to test: make image-ci builds one, and runs these tests")
    return ContainerSpec(engine=ContainerEngine(os.environ.get("GRADETAPE_TEST_ENGINE", "podman")), image=image, cpus=2)


@pytest.fixture(scope="module")
def zygote(container: ContainerSpec) -> Iterator[ContainerZygote]:
    """A zygote in a container."""
    with ContainerZygote(LIMITS, container, slot=Slot()) as zygote:
        zygote.wait_ready()
        yield zygote
