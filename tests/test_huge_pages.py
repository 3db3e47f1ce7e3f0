"""Forks of the zygote copy fewer entries of its memory's tables."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gradetape.worker import huge_pages
from gradetape.worker.huge_pages import regions, use_huge_pages

MAPS = """\
00400000-00401000 r--p 00000000 fe:00 1 /usr/bin/python3
10000000-10800000 rw-p 00000000 00:00 0 [heap]
20100000-20500000 rw-p 00000000 00:00 0
30000000-30200000 r--p 00000000 00:00 0
40000000-40400000 rw-p 00000000 fe:00 2 /usr/lib/a file.so
50000000-50400000 rw-s 00000000 00:01 3 /dev/zero (deleted)
60100000-60200000 rw-p 00000000 00:00 0
7f0000000000-7f0000400000 rw-p 00000000 00:00 0
7ffc00000000-7ffc00400000 rw-p 00000000 00:00 0 [stack]
"""
GROWN = """\
from gradetape.worker.huge_pages import use_huge_pages
text = bytearray(b"x") * (16 << 20)
use_huge_pages()
assert text == b"x" * (16 << 20)
found = [line for line in open("/proc/self/smaps_rollup") if line.startswith("AnonHugePages:")]
print(int(found[0].split()[1]))
"""


def test_only_private_memory_of_no_file_is_put_into_huge_pages() -> None:
    assert list(regions(MAPS)) == [
        (0x10000000, 0x10800000), (0x20200000, 0x20400000), (0x7F0000000000, 0x7F0000400000)
    ]  # fmt: skip


def test_a_kernel_that_cannot_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: int, size: int) -> None:
        raise OSError(22, "madvise: Invalid argument")

    monkeypatch.setattr(huge_pages, "collapse", refuse)
    use_huge_pages()


def test_what_is_in_memory_stays_as_it_is() -> None:
    run = subprocess.run([sys.executable, "-c", GROWN], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) >= 0
