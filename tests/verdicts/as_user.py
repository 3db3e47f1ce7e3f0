"""Starts a zygote as an ordinary user, and tells what a student could do there."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import tensorflow  # noqa: F401 - can this user import it?

from gradetape.records import Cell, Limits
from gradetape.sandbox.launch import Zygote
from gradetape.wire.control import Control
from gradetape.wire.lane import Lane, Watch

if sys.argv[1] == "imports":
    sys.exit()
secret = Path(sys.argv[1])
cells = (Cell(source=Path(__file__).with_name("inside.py").read_text()),)
with Zygote(Limits(), secret=(secret,)) as zygote:
    zygote.wait_ready()
    control, watch = Control(zygote.path), Watch()
    watch.begin(30)
    lane = Lane(control, "student", cells, Limits(), watch)
    names = lane.names()
    found = {
        "seen": names.exists(str(secret)) or names.exists(str(zygote.path)),
        "reached": names.connects("unix", str(zygote.path)) or names.connects("inet", "127.0.0.1", 22),
        "capabilities": int(names.status()["CapEff"], 16) | int(names.status()["CapBnd"], 16),
        "processes": len(names.processes()),
        "layers": lane.layers,
    }
    lane.close()
    control.close()
sys.stdout.write(msgspec.json.encode(found).decode())
