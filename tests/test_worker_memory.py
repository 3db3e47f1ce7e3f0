"""Reading a worker's memory costs the worker nothing: what it shares with the zygote stays shared."""

from __future__ import annotations

import itertools
import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from gradetape.sandbox.reports import WorkerMemory
from gradetape.worker import memory
from gradetape.worker.memory import MemoryReader, MemoryUnreadable, WordReader

# A fork's own memory, in KiB, before and after every page that it shares with its parent has been read.
READ = """\
import mmap, os, signal
import numpy as np
from gradetape.sandbox.reports import WorkerMemory
from gradetape.worker.memory import MemoryReader, WordReader

def own_kib(pid):
    lines = open(f"/proc/{pid}/smaps_rollup").read().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private"))

memory = mmap.mmap(-1, 32 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
words = np.frombuffer(memory, np.uint64)
words[:] = np.arange(len(words))
places = np.concatenate([np.arange(0, len(words), 100)[::-1], [len(words) - 1]])
reader = WordReader(words.ctypes.data + places.astype(np.uint64) * np.uint64(8))
pid = os.fork()
if pid == 0:
    signal.pause()
fork = MemoryReader(WorkerMemory(os.open(f"/proc/{pid}/mem", os.O_RDONLY), pid))
before = own_kib(pid)
for _ in range(2):
    assert (reader.read(fork) == places).all()
print(own_kib(pid) - before)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
"""


def test_what_is_read_of_a_worker_stays_shared_with_the_zygote() -> None:
    run = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 4 << 10


@pytest.fixture
def own() -> Iterator[MemoryReader]:
    """The memory of this process."""
    opened = os.open("/proc/self/mem", os.O_RDONLY)
    yield MemoryReader(WorkerMemory(opened, os.getpid()))
    os.close(opened)


def test_reading_has_a_time_limit(own: MemoryReader) -> None:
    words = np.arange(100, dtype=np.uint64)
    reader = WordReader(words.ctypes.data + np.arange(0, 800, 8, dtype=np.uint64))
    assert (reader.read(own) == words).all()
    with pytest.raises(MemoryUnreadable, match="reading it takes longer than -60 s"):
        reader.read(own, patience_s=-60)


def test_time_in_which_the_zygote_waits_for_a_processor_does_not_count(
    own: MemoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = itertools.count(0.0, 600.0)
    monkeypatch.setattr(memory, "_queued_s", lambda: next(queued))
    words = np.arange(100, dtype=np.uint64)
    reader = WordReader(words.ctypes.data + np.arange(0, 800, 8, dtype=np.uint64))
    assert (reader.read(own, patience_s=-60) == words).all()


def test_a_kernel_that_does_not_count_it_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_QUEUED", "/nowhere")
    assert memory._queued_s() == 0.0


class Counting(MemoryReader):
    """Counts the bytes that are read."""

    counted = 0

    def read_into(self, address: int, views: list[memoryview]) -> int:
        self.counted += sum(map(len, views))
        return super().read_into(address, views)


@pytest.fixture(params=["mem and pagemap", "mem"])
def fork(request: pytest.FixtureRequest) -> Iterator[tuple[Counting, WordReader, npt.NDArray[np.uint64]]]:
    """A fork's memory, the reader of a word on each of 2,000 pages, and these words; the fork has changed two."""
    page, changed = 4096 // 8, (1999, 7)
    block = mmap.mmap(-1, 2000 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    words = np.frombuffer(block, np.uint64)
    words[:] = np.arange(len(words))
    reader = WordReader(words.ctypes.data + np.arange(0, len(words), page, dtype=np.uint64)[::-1] * np.uint64(8))
    done, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        for number in changed:
            words[(1999 - number) * page] += 1
        os.write(tell, b"x")
        signal.pause()
    os.read(done, 1)
    opened = [os.open(f"/proc/{pid}/{name}", os.O_RDONLY) for name in request.param.split(" and ")]
    yield Counting(WorkerMemory(opened[0], pid, *opened[1:])), reader, words[::page][::-1].copy()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for descriptor in (*opened, done, tell):
        os.close(descriptor)


def _sees_frames() -> bool:
    """Whether this process is allowed to see in which frames its memory lies."""
    words = np.ones(1 << 20, np.uint64)
    with open("/proc/self/pagemap", "rb", buffering=0) as frames:
        frames.seek(words.ctypes.data // 4096 * 8)
        return int.from_bytes(frames.read(8), "little") % (1 << 55) != 0


def test_words_that_differ_are_found_with_and_without_knowing_which_pages_are_shared(
    fork: tuple[Counting, WordReader, npt.NDArray[np.uint64]],
) -> None:
    memory, reader, expected = fork
    assert reader.differing(memory, expected).tolist() == [7, 1999]
    few = memory.frames is not None and _sees_frames()
    assert memory.counted < 20 * 4096 if few else memory.counted >= 2000 * 8


def test_of_a_process_that_has_ended_no_page_counts_as_shared() -> None:
    words = np.arange(100, dtype=np.uint64)
    reader = WordReader(words.ctypes.data + np.arange(0, 800, 8, dtype=np.uint64))
    done, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(done, 1)
        os._exit(0)
    opened, frames = (os.open(f"/proc/{pid}/{name}", os.O_RDONLY) for name in ("mem", "pagemap"))
    ended = MemoryReader(WorkerMemory(opened, pid, frames))
    assert len(reader.differing(ended, words)) == 0
    os.write(tell, b"x")
    os.waitpid(pid, 0)
    with pytest.raises(MemoryUnreadable, match="its process has ended"):
        reader.differing(ended, words)
    for descriptor in (opened, frames, done, tell):
        os.close(descriptor)
