"""Opens the desk: the optional libraries, the port on this machine's own address, and the loop that serves."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from gradetape.course.assignments import Course
from gradetape.errors import RequestError

_ADDRESS = "127.0.0.1"
_GRACE_S = 3


def serve(course: Course, folder: Path | None, by: str, port: int, opened: Callable[[str], None]) -> None:
    """Serves a course's results until Ctrl-C; `opened` gets the address with the token, once the port is open.

    `folder` is the results folder, by default the configuration's; with `port` 0 a free one is chosen. Raises
    RequestError without the libraries or the port.
    """
    try:
        import uvicorn

        from gradetape.desk.app import application
        from gradetape.desk.keys import DeskKeys
        from gradetape.desk.pages import Desk
        from gradetape.desk.trials import Trials
    except ModuleNotFoundError as error:
        raise RequestError(
            f"The desk needs the Python package {error.name}, which is not installed. Install it with: "
            "pip install 'gradetape[desk]'"
        ) from None
    keys, trials = DeskKeys(), Trials()
    with _listening(port) as listener:
        number = listener.getsockname()[1]
        hosts = [f"{name}:{number}" for name in (_ADDRESS, "localhost")]
        app = application(Desk(course.root, folder, by), keys, hosts, trials)
        config = uvicorn.Config(
            app, log_level="error", access_log=False, server_header=False, proxy_headers=False, ws="none",
            timeout_graceful_shutdown=_GRACE_S,
        )  # fmt: skip
        opened(f"http://{_ADDRESS}:{number}/?token={keys.entry}")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            trials.close()


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_ADDRESS, port))
        listener.listen()  # before the address is printed: who opens it at once waits, in place of being refused
    except OSError as error:
        listener.close()
        raise RequestError(
            f"Port {port} cannot be opened: {error.strerror}. Choose another one with --port; 0 is any that is free."
        ) from None
    return listener
