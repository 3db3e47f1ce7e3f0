"""Shell commands of a notebook (`!ls`, `%pip`, `%%bash`): run inside the sandbox, except for installing packages."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import chain

_CHUNK = 1 << 16
_PYTHON = r"(?:['\"]?\S*python[\d.]*['\"]?\s+-m\s+)?"
_INSTALLERS = r"(?:\S*/)?(?:pip[\d.]*|uv(?:\s+pip)?|conda|mamba|micromamba|apt(?:-get)?)"
_CHANGES = r"(?:install|uninstall|remove|update|upgrade|download|add|sync|create)"
_INSTALL = re.compile(
    rf"""(?P<before>^|&&|\|\||;)[^\S\n]*                # where a command begins
    (?P<command>(?:sudo\s+|yes\s*\|\s*)?{_PYTHON}{_INSTALLERS}\s[^\n;&|]*?\b{_CHANGES}\b[^\n;&|]*)""",
    re.MULTILINE | re.VERBOSE,
)


def without_installing(command: str) -> tuple[str, list[str]]:
    """The command with `true` in the place of what would install packages, and what was left out."""
    left_out = [" ".join(found["command"].split()) for found in _INSTALL.finditer(command)]
    return _INSTALL.sub(r"\g<before> true", command), left_out


def run(command: str, write: Callable[[str], object]) -> int:
    """Runs a command and writes its output as it comes; returns its exit status, negative for a signal.

    Raises FileNotFoundError if there is no shell.
    """
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    arguments, nothing, pipe = [shell(), "-c", command], subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(arguments, stdin=nothing, stdout=pipe, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        output = process.stdout.fileno()
        for chunk in chain(iter(lambda: os.read(output, _CHUNK), b""), [b""]):
            if text := decode(chunk, not chunk):
                write(text)
    return process.returncode if process.returncode <= 128 else 128 - process.returncode


def shell() -> str:
    """The path of the shell: bash, as notebooks expect it, or sh. Raises FileNotFoundError."""
    found = shutil.which("bash") or shutil.which("sh")
    if found is None:
        raise FileNotFoundError("there is no shell")
    return found
