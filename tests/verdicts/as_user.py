"""Starts a zygote as an ordinary user, and prints what a student could do there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from gradetape.errors import SandboxError
from gradetape.records import Cell, Limits
from gradetape.remote.budget import CheckBudget
from gradetape.remote.roles import STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote

secret = Path(sys.argv[1])
own = Path(os.environ["TMPDIR"], "own")  # of the same user as the worker
own.touch()
own.chmod(0o640)
os.utime(own, (1000, 1000))
cells = (Cell(source=Path(__file__).with_name("inside.py").read_text()),)
with LocalZygote(Limits(memory_mb=700), secret=(secret,)) as zygote:
    try:
        zygote.wait_ready()
    except SandboxError as error:
        sys.exit(str(error))
    control, budget = ZygoteClient(zygote.path), CheckBudget()
    budget.begin(30)
    session = RemoteSession(control, STUDENT, cells, Limits(), budget)
    names = session.names()
    found = {
        "read": names.reads(str(secret / "seed")),
        "reached": names.connects("unix", str(zygote.path)) or names.connects("inet", "127.0.0.1", 22),
        "capabilities": int(names.status()["CapEff"], 16) | int(names.status()["CapPrm"], 16),
        "signals": names.signals_its_parent(),
        "limits": names.limits_its_parent(),
        "processes": [names.reads(f"/proc/{pid}/cmdline") for pid in (os.getpid(), os.getppid())],
        "layers": session.report.layers,
        "groups": names.reads("/proc/self/cgroup"),
        "changes": names.changes(str(own)),
        "changed": [own.stat().st_mode & 0o777, own.stat().st_mtime],
    }
    session.close()
    control.close()
sys.stdout.write(msgspec.json.encode(found).decode())
