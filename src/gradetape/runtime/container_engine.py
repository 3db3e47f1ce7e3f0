"""The command lines of podman and Docker, as argv. Nothing here runs anything.

Both engines are driven by their command lines, which an operator can repeat by hand. They agree on almost every flag.
They differ in how a GPU is named (podman takes CDI names and would ignore `--gpus`) and in the defaults of podman that
have to be switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from gradetape.records import Slot

LABEL = "gradetape.role=zygote"
PREFIX = "gradetape"
# The zygote is root in the container; of root's privileges it keeps those to change uids and to end its workers.
CAPABILITIES = ("SETUID", "SETGID", "KILL")
_HIDDEN_GPUS = {"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": "-1"}


class Mount(msgspec.Struct, frozen=True):
    """A folder of the host, mounted in the container."""

    source: Path
    target: str
    writable: bool = False


class ContainerRun(msgspec.Struct, frozen=True, kw_only=True):
    """A container to run: its content and its limits; memory and disk in MiB.

    `disk_mb` is the size of each of its private folders. `slots` name the devices that are visible in it; without slots
    no device is visible, whatever the image or the engine's own settings say.
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

    def run(self, container: ContainerRun) -> list[str]:
        """Runs a hardened container in the foreground, with standard input; the engine removes it when it ends."""
        argv = [
            self.name, "run", "--rm", "--interactive", "--name", container.name, "--label", LABEL, "--pull", "never",
            "--entrypoint", container.entrypoint, "--hostname", PREFIX, "--log-driver", "none", "--stop-timeout", "1",
            "--network", "none", "--ipc", "private", "--read-only", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--security-opt", f"seccomp={container.profile}", "--user", "0:0",
            "--pids-limit", str(container.processes), "--memory", f"{container.memory_mb}m",
            "--memory-swap", f"{container.memory_mb}m",
            "--cpus", f"{container.cpus:g}", "--shm-size", f"{container.disk_mb}m",
            "--tmpfs", f"/tmp:rw,nosuid,nodev,mode=1777,size={container.disk_mb}m",
        ]  # fmt: skip
        for name in container.capabilities:
            argv += ["--cap-add", name]
        if self.name == "podman":
            argv += ["--read-only-tmpfs=false", "--http-proxy=false"]
        for mount in container.mounts:
            argv += ["--volume", f"{mount.source}:{mount.target}:{'rw' if mount.writable else 'ro'},Z"]
        hidden = {} if container.slots else _HIDDEN_GPUS
        for name, value in (container.environment | hidden).items():
            argv += ["--env", f"{name}={value}"]
        return [*argv, *self.devices(container.slots), container.image, *container.command]

    def devices(self, slots: Sequence[Slot]) -> list[str]:
        """The flags that make devices visible: CDI names for podman, `--gpus` for Docker."""
        if not slots:
            return []
        if self.name == "podman":
            return [flag for slot in slots for flag in ("--device", slot.cdi)]
        names = ",".join(slot.device for slot in slots)
        # Docker parses the value as a CSV row: a comma within a field has to be quoted.
        return ["--gpus", f'"device={names}"' if len(slots) > 1 else f"device={names}"]

    def build(
        self, context: Path, containerfile: Path, tag: str, *, base: str | None = None, volumes: Sequence[str] = (),
        network: str | None = None,
    ) -> list[str]:  # fmt: skip
        """Builds the image; `volumes` are mounted only during the build (podman only)."""
        argv = [self.name, "build", "--tag", tag, "--file", str(containerfile)]
        argv += ["--build-arg", f"BASE_IMAGE={base}"] if base else []
        argv += ["--network", network] if network else []
        for volume in volumes:
            argv += ["--volume", volume]
        return [*argv, str(context)]

    def image_id(self, image: str) -> list[str]:
        """Prints an image's id; fails if it is not on this machine."""
        return [self.name, "image", "inspect", "--format", "{{.Id}}", image]

    def names(self) -> list[str]:
        """Prints the names of all containers that gradetape started, running or not."""
        return [self.name, "ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}"]

    def remove(self, *names: str) -> list[str]:
        """Ends and removes containers."""
        return [self.name, "rm", "--force", "--volumes", *names]
