"""Reading a worker's memory costs the worker nothing: what it shares with the zygote stays shared."""

from __future__ import annotations

import subprocess
import sys

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
