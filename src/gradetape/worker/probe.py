"""Inspects a container from inside: `python -m gradetape.worker.probe look|memory|processes`.

`look` prints what it finds as one JSON object. `memory` and `processes` use more and more until the engine's limit
ends them; without a limit they end with status 3.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

_UNLIMITED = 3
_STEP = 64 << 20
_MOST_MEMORY = 1 << 36
_MOST_PROCESSES = 20_000
_SECRETS = ("seed", "grader_config.yml", "assignment.yml", "gradebook.sqlite")
_CHECKS = re.compile(r"test_q\d\w*\.py", re.ASCII)
_SKIPPED = ("/proc", "/sys", "/dev")


def look() -> dict[str, Any]:
    """What can be seen and done inside the container."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {
        "interfaces": sorted(os.listdir("/sys/class/net")),
        "routes": len(Path("/proc/net/route").read_text().splitlines()) - 1,
        "writable": [folder for folder in ("/", "/usr", "/etc", "/home") if _writable(folder)],
        "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16) | int(status["CapPrm"], 16),
        "no_new_privileges": status["NoNewPrivs"].strip() == "1",
        "filtered": status["Seccomp"].strip() == "2",
        "secrets": _secrets(),
        "accelerators": sorted(str(path) for path in Path("/dev").glob("nvidia*")),
    }


def _writable(folder: str) -> bool:
    path = os.path.join(folder, ".gradetape-probe")
    try:
        with open(path, "w"):
            os.unlink(path)
    except OSError:
        return False
    return True


def _secrets() -> list[str]:
    """Every secret file of a course in the container."""
    found = []
    for base, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(base, name) not in _SKIPPED]
        found += [os.path.join(base, name) for name in names if _is_secret(base, name)]
    return found


def _is_secret(base: str, name: str) -> bool:
    return name in _SECRETS or bool(_CHECKS.fullmatch(name)) or base.endswith("/solutions")


def memory() -> int:
    """Allocates memory until the kernel ends this process."""
    held: list[bytearray] = []
    while len(held) * _STEP < _MOST_MEMORY:
        held.append(bytearray(os.urandom(1 << 20) * (_STEP >> 20)))
    return _UNLIMITED


def processes() -> int:
    """Forks processes until the limit; prints how many there were."""
    children: list[int] = []
    try:
        while len(children) < _MOST_PROCESSES:
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            print(len(children), flush=True)
            return 0
        raise
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
    return _UNLIMITED


def main(what: str) -> int:
    """Runs one of the three probes."""
    if what == "look":
        print(json.dumps(look()))
        return 0
    return memory() if what == "memory" else processes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
