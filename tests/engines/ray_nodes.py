"""A simulated Ray cluster on this machine: `python -m tests.engines.ray_nodes NODES` starts it and prints its address.

The head has no processors, so that it judges nothing; each other node has one. The process ids of the nodes follow the
address, and the cluster ends with standard input. The variables of Ray are those of the process's environment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
from ray.cluster_utils import Cluster

_STORE_BYTES = 80 << 20
_TRIES = 4


def main(count: int) -> None:
    """Serves until standard input ends."""
    common = {"object_store_memory": _STORE_BYTES, "include_dashboard": False}
    head = common | {"num_cpus": 0, "temp_dir": os.environ["RAY_NODES_FOLDER"]}
    cluster = Cluster()
    patiently(lambda: cluster.add_node(**head))
    nodes = [patiently(lambda: cluster.add_node(num_cpus=1, **common)) for _ in range(count)]
    pids = [node.all_processes["raylet"][0].process.pid for node in nodes]
    print(json.dumps({"address": cluster.address, "pids": pids}), flush=True)
    sys.stdin.read()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            send(pid, signal.SIGCONT)
    cluster.shutdown()


def patiently(start: Callable[[], Any]) -> Any:
    """Ray gives a node 30 seconds to start, which a busy machine may need more than once."""
    for _ in range(_TRIES - 1):
        with suppress(Exception):
            return start()
    return start()


def send(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a node: to its raylet and everything that it has started."""
    raylet = psutil.Process(pid)
    for process in (raylet, *raylet.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


if __name__ == "__main__":
    main(int(sys.argv[1]))
