"""A Slurm cluster of one machine: munged, slurmctld and slurmd from Debian's packages, in a folder of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.leftovers import groups_left

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo")
_PATH = os.pathsep.join(filter(None, [os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
_START_S = 120.0

# Nothing of this needs systemd, cgroups or accounting. The node says that it is larger than it is, so that scripts for
# real nodes run on it as they are.
_CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=262144 State=UNKNOWN
PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def program(name: str) -> str | None:
    """Where a program is, also where only root looks for it."""
    return shutil.which(name, path=_PATH)


def skip_where_there_is_none() -> None:
    """Skips a test where no cluster can be started, and says why."""
    if missing := [name for name in PROGRAMS if program(name) is None]:
        pytest.skip(f"Slurm is not installed: there is no {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("only root can start slurmd")


@contextmanager
def cluster(folder: Path, cpus: int) -> Iterator[Mapping[str, str]]:
    """A cluster whose node says that it has as many processors; yields the environment for Slurm's commands.

    At the end no control group of a grader is left.
    """
    before = set(groups_left())
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    _write_key(folder / "munge.key")
    conf = folder / "slurm.conf"
    ports = dict(zip(("controller", "node"), _free_ports(2), strict=True))
    conf.write_text(_CONF.format(host=socket.gethostname().partition(".")[0], folder=folder, cpus=cpus, **ports))
    environment = {"SLURM_CONF": str(conf), "PATH": _PATH}
    munge = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "log", "pid", "seed")]
    with ExitStack() as stack:
        for command in (
            ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *munge],
            ["slurmctld", "-D", "-c", "-f", str(conf)],
            ["slurmd", "-D", "-N", "node", "-f", str(conf)],
        ):
            stack.enter_context(_daemon(command, folder, environment))
            if command[0] == "munged":
                _wait_for((folder / "munge.socket").exists, folder)
        _wait_for(lambda: _state(environment) in ("idle", "mixed"), folder)
        yield environment
    assert set(groups_left()) <= before


@contextmanager
def _daemon(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A program in the foreground, ended at the end."""
    path = program(command[0])
    assert path
    with open(folder / f"{command[0]}.out", "wb") as log:
        process = subprocess.Popen(
            [path, *command[1:]], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | environment
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _state(environment: Mapping[str, str]) -> str:
    asked = [program("sinfo") or "sinfo", "--noheader", "--nodes=node", "--format=%t"]
    done = subprocess.run(asked, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip()


def _wait_for(condition: object, folder: Path) -> None:
    assert callable(condition)
    deadline = time.monotonic() + _START_S
    while not condition():
        logs = {path.name: path.read_text(errors="replace")[-2000:] for path in folder.glob("*.[lo][ou][gt]")}
        assert time.monotonic() < deadline, f"Slurm did not start: {logs}"
        time.sleep(0.2)


def _write_key(path: Path) -> None:
    path.write_bytes(os.urandom(128))
    path.chmod(0o400)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
