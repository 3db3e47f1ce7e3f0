"""Joins a Ray cluster that refuses strangers, or starts one on this machine alone."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

import ray
from ray._private import worker as ray_worker
from ray._raylet import AuthenticationTokenLoader
from ray._raylet import Config as RayConfig

from gradetape import tempdirs
from gradetape.engine.ray.access import ADMITTED, REFUSED, as_stranger, with_token
from gradetape.engine.ray.cluster import RayCluster
from gradetape.errors import EngineError, RequestError
from gradetape.runtime.processors import processors

_ADDRESS = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})$", re.ASCII)
_CONNECT_S = 5.0
_END_S = 30.0
_STORE_BYTES = 128 << 20
_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_memory_monitor_refresh_ms": "0",  # every worker has a limit of its own
        "RAY_prestart_worker_first_driver": "0",  # an idle worker, which would never be used, is not free
    }
)


def join(address: str | None) -> RayCluster:
    """The cluster at an address, by default the one that RAY_ADDRESS names; without one, a cluster of this machine.

    Raises RequestError for what is no address, EngineError if the cluster cannot be joined or lets anyone in.
    """
    address = address or os.environ.get("RAY_ADDRESS") or None
    with ExitStack() as stack:
        _silence(stack)
        if address is None:
            _start(stack)
        else:
            _refuse_unreachable(address)
            _refuse_open(address)
            _set(stack, _VARIABLES)
            stack.callback(ray.shutdown)
            _init(lambda: ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL), address)
        return RayCluster(stack.pop_all().close)


def _silence(stack: ExitStack) -> None:
    """Keeps Ray from printing to stdout, which belongs to the command, when a node is lost: the engine says so."""
    stack.callback(setattr, ray_worker, "print_to_stdstream", ray_worker.print_to_stdstream)
    ray_worker.print_to_stdstream = lambda *_, **__: None


def _start(stack: ExitStack) -> None:
    """A cluster of this machine, with a token and a folder of its own."""
    folder = stack.enter_context(tempdirs.folder("gradetape-ray-"))
    stack.callback(_remove, folder)
    token = folder / "token"
    token.touch(0o600)
    token.write_text(secrets.token_hex(32))
    _set(stack, {**_VARIABLES, "RAY_AUTH_TOKEN_PATH": str(token)}, removed=("RAY_AUTH_TOKEN",))
    stack.callback(ray.shutdown)
    _init(lambda: _started(folder), None)


def _remove(folder: Path) -> None:
    """Removes a folder into which Ray's processes still write for a moment after they were told to end."""
    deadline = time.monotonic() + _END_S
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.01)


def _started(folder: Path) -> None:
    ray.init(
        num_cpus=processors(), object_store_memory=_STORE_BYTES, include_dashboard=False, log_to_driver=False,
        logging_level=logging.CRITICAL, _temp_dir=str(folder / "ray"), _node_ip_address="127.0.0.1",
    )  # fmt: skip


def _init(begin: Callable[[], object], address: str | None) -> None:
    """Ray handles SIGTERM by itself afterwards; the command's own handler is put back."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        begin()
    except Exception as error:
        reason = " ".join(str(error).split())[:500]
        if address is None:
            raise EngineError(f"Ray could not be started on this machine: {reason}. Run gradetape doctor.") from error
        raise EngineError(
            f"This machine cannot join the Ray cluster at {address}: {reason}. Run gradetape on a machine of the "
            "cluster, with the same versions of Ray and Python as its other machines; ray status shows them."
        ) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _refuse_unreachable(address: str) -> None:
    found = _ADDRESS.match(address)
    if found is None:
        raise RequestError(
            f"The address of a Ray cluster is HOST:PORT, such as 10.0.0.1:6379, and not {address!r}. ray start --head "
            "prints it; ray:// addresses of Ray's client cannot be used."
        )
    try:
        socket.create_connection((found[1].strip("[]"), int(found[2])), _CONNECT_S).close()
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise EngineError(
            f"No Ray cluster answers at {address}: {reason}. Check the address, which ray start --head has printed, "
            "and that the head runs: ray status."
        ) from None


def _refuse_open(address: str) -> None:
    """Raises EngineError unless the cluster refuses a stranger and admits the holder of this token."""
    met = as_stranger(address)
    if met == ADMITTED:
        raise EngineError(
            f"The Ray cluster at {address} lets anyone in who can reach it, and a program in it can read the hidden "
            "checks. Turn on Ray's token mode: run ray get-auth-token --generate, give every node the same token in "
            "~/.ray/auth_token, and start every node with RAY_AUTH_MODE=token in its environment."
        )
    if met == REFUSED and with_token(address) != ADMITTED:
        raise EngineError(
            f"The Ray cluster at {address} refuses the token of this user. Copy the cluster's token to "
            "~/.ray/auth_token, or name its file in RAY_AUTH_TOKEN_PATH."
        )
    if met != REFUSED:
        raise EngineError(
            f"What listens at {address} does not answer as Ray {ray.__version__} does. Check the address, which ray "
            "start --head has printed, and the version of Ray there."
        )


def _set(stack: ExitStack, variables: Mapping[str, str], removed: tuple[str, ...] = ()) -> None:
    """Sets variables for Ray's processes until the end, and lets this process's Ray read them."""
    before = {name: os.environ.get(name) for name in (*variables, *removed)}
    stack.callback(_put_back, before)
    os.environ.update(variables)
    for name in removed:
        os.environ.pop(name, None)
    RayConfig.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def _put_back(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
