"""`gradetape image`."""

from __future__ import annotations

import subprocess
import sys

import click
from rich.text import Text

from gradetape.cli.course import here
from gradetape.cli.lines import line, say
from gradetape.cli.status import ATTENTION, OK
from gradetape.cli.terminal import console
from gradetape.errors import EngineError
from gradetape.runtime import container, image
from gradetape.runtime.slots import Slots

_engine = click.option(
    "--engine",
    type=click.Choice(["auto", "podman", "docker"]),
    help="The container engine. [default: container.engine in grader_config.yml]",
)


@click.group("image")
def command() -> None:
    """Build and check the container image that --isolation container uses.

    \b
    Examples:
      gradetape image build
      gradetape image check
    """


@command.command("build")
@_engine
@click.option("--base", metavar="IMAGE", help="Base image. [default: BASE_IMAGE in the Containerfile]")
@click.option("--tag", metavar="NAME", help="Name of the image. [default: container.image in grader_config.yml]")
@click.option("--network", metavar="MODE", help="Network mode for the build, passed to the container engine.")
@click.option(
    "--volume", "volumes", metavar="SRC:DST:ro", multiple=True, help="Volume to mount for the build (podman only)."
)
def build(engine: str | None, base: str | None, tag: str | None, network: str | None, volumes: tuple[str, ...]) -> None:
    """Build the image from autograder/Containerfile, with this version of gradetape in it.

    \b
    Examples:
      gradetape image build
      gradetape image build --engine docker --base tensorflow/tensorflow:2.21.0-gpu
    """

    course = here()
    name = tag or course.config.container.image
    runner = container.find(engine or course.config.container.engine)
    with image.context(course.root, course.packages) as folder:
        argv = runner.build(folder, folder / "Containerfile", name, base=base, volumes=volumes, network=network)
        if subprocess.run(argv).returncode != 0:
            raise EngineError(
                f"{runner.name} could not build {name}. Fix the error above. The command was: {' '.join(argv)}"
            )
    say(f"Built {name}. Check it: gradetape image check")


@command.command("check")
@_engine
@click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), help="Device that TensorFlow uses.")
def check(engine: str | None, device: str | None) -> None:
    """Run the image as grading does, and test its isolation and limits. Exit status 1: a test failed.

    \b
    Examples:
      gradetape image check
      gradetape image check --device gpu
    """

    course = here()
    config = course.config
    if engine:
        config = config.model_copy(update={"container": config.container.model_copy(update={"engine": engine})})
    slots = Slots.of(config, workers=1, secret=(), isolation="container", device=device)
    assert slots.container is not None
    terminal, good = console(stderr=False), True
    for found in image.check(slots.container, slots.limits, slots.slots[0]):
        good = good and found.ok
        shown = Text("ok      " if found.ok else "WRONG   ", "green" if found.ok else "red").append(found.what, "bold")
        terminal.print(shown.append(line(f": {found.seen}"), "default"))
    sys.exit(OK if good else ATTENTION)
