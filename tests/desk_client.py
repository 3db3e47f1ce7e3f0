"""A browser's side of the desk: requests to the application in this process, with the headers that browsers send.

And the desk itself, in a process of its own.
"""

from __future__ import annotations

import asyncio
import html
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gradetape.desk.app import application
from gradetape.desk.guard import COOKIE
from gradetape.desk.keys import DeskKeys
from gradetape.desk.pages import Desk
from gradetape.desk.trials import Trials
from gradetape.engine import OpenEngine, open_engine
from tests.course import command

HOST = "127.0.0.1:8765"
OWN = f"http://{HOST}"


class DeskClient:
    """The desk of a course, and a browser that has opened it, or not yet."""

    def __init__(self, course: Path, *, entered: bool = True, open_engine: OpenEngine = open_engine) -> None:
        self.keys, self.trials = DeskKeys(), Trials()
        self.app = application(Desk(course, None, "Ana", open_engine), self.keys, (HOST, "localhost:8765"), self.trials)
        self.cookie = ""
        if entered:
            found = self.get(f"/?token={self.keys.entry}").headers["set-cookie"]
            self.cookie = found.partition(";")[0].removeprefix(f"{COOKIE}=")

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Sends a form as a browser does from a page of the desk, with other headers where they are given."""
        return self.send("POST", path, headers={"origin": OWN, "sec-fetch-site": "same-origin"} | headers, data=fields)

    def send(
        self, method: str, path: str, *, headers: dict[str, str], data: dict[str, str] | None = None
    ) -> httpx.Response:
        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
                own = {"host": HOST, "cookie": f"{COOKIE}={self.cookie}"}
                return await client.request(method, path, headers=own | headers, data=data)

        return asyncio.run(sent())

    def forms(self, path: str) -> list[tuple[str, dict[str, str]]]:
        """The forms of a page: where each is sent, and its hidden fields."""
        found = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', self.get(path).text, re.DOTALL)
        hidden = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
        return [
            (html.unescape(to), {name: html.unescape(value) for name, value in hidden.findall(inner)})
            for to, inner in found
        ]


@contextmanager
def desk_of(course: Path) -> Iterator[str]:
    """The address of a course's desk, which is interrupted in the end."""
    with subprocess.Popen(command("desk", "--port", "0"), cwd=course, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
