"""The command lines of podman and Docker: what is asked of them, as argv. Nothing here runs anything.

Both engines are driven by their command lines: they are what an operator can repeat by hand. They agree on almost
every flag. What differs is how a GPU is named (podman takes CDI names and would ignore `--gpus`), how a label is read
back, and what podman adds of its own that has to be taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from gradetape.records import Slot

LABEL = "gradetape.role=far-side"
PREFIX = "gradetape"
# The supervisor is root in there, and nothing else than the uids of its workers is left of that.
CAPABILITIES = ("SETUID", "SETGID", "KILL")
_HIDDEN_GPUS = {"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": "-1"}


class Mount(msgspec.Struct, frozen=True):
    """A folder of the host's in the container."""

    source: Path
    target: str
    writable: bool = False


class ContainerRun(msgspec.Struct, frozen=True, kw_only=True):
    """A container that is to be run: what is in it, and all that it may use; memory and disk in MiB.

    `disk_mb` is the size of each of its private folders. `slots` name the devices that it sees; without one none is
    visible, whatever the image or the engine's own settings say.
    """

    name: str
    image: str
    entrypoint: str
    command: tuple[str, ...]
    profile: Path
    memory_mb: int
    processes: int
    disk_mb: int
    cpus: float = 1.0
    capabilities: tuple[str, ...] = CAPABILITIES
    mounts: tuple[Mount, ...] = ()
    environment: dict[str, str] = {}
    slots: tuple[Slot, ...] = ()


class ContainerEngine(msgspec.Struct, frozen=True):
    """podman or Docker, by the name of its program."""

    name: str

    def run(self, box: ContainerRun) -> list[str]:
        """Runs a container in the foreground, hardened, with its standard input; it is removed when it ends."""
        argv = [
            self.name, "run", "--rm", "--interactive", "--name", box.name, "--label", LABEL, "--pull", "never",
            "--entrypoint", box.entrypoint, "--hostname", PREFIX, "--log-driver", "none", "--stop-timeout", "1",
            "--network", "none", "--ipc", "private", "--read-only", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--security-opt", f"seccomp={box.profile}", "--user", "0:0",
            "--pids-limit", str(box.processes), "--memory", f"{box.memory_mb}m", "--memory-swap", f"{box.memory_mb}m",
            "--cpus", f"{box.cpus:g}", "--shm-size", f"{box.disk_mb}m",
            "--tmpfs", f"/tmp:rw,nosuid,nodev,mode=1777,size={box.disk_mb}m",
        ]  # fmt: skip
        for name in box.capabilities:
            argv += ["--cap-add", name]
        if self.name == "podman":
            argv += ["--read-only-tmpfs=false", "--http-proxy=false"]
        for mount in box.mounts:
            argv += ["--volume", f"{mount.source}:{mount.target}:{'rw' if mount.writable else 'ro'},Z"]
        hidden = {} if box.slots else _HIDDEN_GPUS
        for name, value in (box.environment | hidden).items():
            argv += ["--env", f"{name}={value}"]
        return [*argv, *self.devices(box.slots), box.image, *box.command]

    def devices(self, slots: Sequence[Slot]) -> list[str]:
        """The flags that make devices visible: CDI names for podman, `--gpus` for Docker."""
        if not slots:
            return []
        if self.name == "podman":
            return [flag for slot in slots for flag in ("--device", slot.cdi)]
        names = ",".join(slot.device for slot in slots)
        # Docker reads the value as a row of CSV: a comma within a field has to be quoted.
        return ["--gpus", f'"device={names}"' if len(slots) > 1 else f"device={names}"]

    def build(
        self, context: Path, containerfile: Path, tag: str, *, base: str | None = None, volumes: Sequence[str] = (),
        network: str | None = None,
    ) -> list[str]:  # fmt: skip
        """Builds the image; `volumes` are there while it is built, and never in it (podman alone has them)."""
        argv = [self.name, "build", "--tag", tag, "--file", str(containerfile)]
        argv += ["--build-arg", f"BASE_IMAGE={base}"] if base else []
        argv += ["--network", network] if network else []
        for volume in volumes:
            argv += ["--volume", volume]
        return [*argv, str(context)]

    def image_id(self, image: str) -> list[str]:
        """Prints an image's id; fails where it is not on this machine."""
        return [self.name, "image", "inspect", "--format", "{{.Id}}", image]

    def names(self) -> list[str]:
        """Prints the names of all containers that gradetape has made, running or not."""
        return [self.name, "ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}"]

    def remove(self, *names: str) -> list[str]:
        """Ends and removes containers."""
        return [self.name, "rm", "--force", "--volumes", *names]
