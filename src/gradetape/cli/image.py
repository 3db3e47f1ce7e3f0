"""`gradetape image`."""

from __future__ import annotations

import subprocess
import sys

import click

from gradetape.cli import common
from gradetape.cli.common import ATTENTION, OK

_engine = click.option(
    "--engine", type=click.Choice(["auto", "podman", "docker"]), help="What builds and runs it. [default: the config's]"
)


@click.group("image")
def command() -> None:
    """Build the image for --isolation container, and look at it from inside.

    \b
    Examples:
      gradetape image build
      gradetape image check
    """


@command.command("build")
@_engine
@click.option("--base", metavar="IMAGE", help="Build on this image. [default: the Containerfile's BASE_IMAGE]")
@click.option("--tag", metavar="NAME", help="What to call the image. [default: the config's container.image]")
@click.option("--network", metavar="MODE", help="The network while it is built, as the engine calls it.")
@click.option("--volume", "volumes", metavar="SRC:DST:ro", multiple=True, help="There while it is built (podman only).")
def build(engine: str | None, base: str | None, tag: str | None, network: str | None, volumes: tuple[str, ...]) -> None:
    """Build the image from autograder/Containerfile, with the gradetape that runs this command.

    \b
    Examples:
      gradetape image build
      gradetape image build --engine docker --base tensorflow/tensorflow:2.21.0-gpu
    """
    from gradetape.errors import EngineError
    from gradetape.runtime import container, image

    course = common.here()
    name = tag or course.config.container.image
    runner = container.find(engine or course.config.container.engine)
    with image.context(course.root) as folder:
        argv = runner.build(folder, folder / "Containerfile", name, base=base, volumes=volumes, network=network)
        if subprocess.run(argv).returncode != 0:
            raise EngineError(
                f"{runner.name} could not build {name}. Mend what it says above. It was: {' '.join(argv)}"
            )
    click.echo(f"{name} is built. Look at it from inside: gradetape image check")


@command.command("check")
@_engine
@click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), help="Where TensorFlow computes.")
def check(engine: str | None, device: str | None) -> None:
    """Run the image as grading does, and say what its walls and limits hold. Exit status 1: something does not.

    \b
    Examples:
      gradetape image check
      gradetape image check --device gpu
    """
    from rich.text import Text

    from gradetape.runtime import image
    from gradetape.runtime.slots import Slots

    course = common.here()
    config = course.config
    if engine:
        config = config.model_copy(update={"container": config.container.model_copy(update={"engine": engine})})
    slots = Slots.of(config, workers=1, secret=(), isolation="container", device=device)
    assert slots.container is not None
    terminal, good = common.console(stderr=False), True
    for found in image.check(slots.container, slots.limits, slots.slots[0]):
        good = good and found.ok
        line = Text("ok      " if found.ok else "WRONG   ", "green" if found.ok else "red").append(found.what, "bold")
        terminal.print(line.append(f": {found.seen}", "default"))
    sys.exit(OK if good else ATTENTION)
