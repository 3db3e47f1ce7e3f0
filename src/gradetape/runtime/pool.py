"""The zygotes that serve the slots: one for all of them, or a container for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

from gradetape.records import Slot
from gradetape.runtime.launch import ZygoteProcess

Start = Callable[[Slot], ZygoteProcess]


class Lease:
    """A slot and the zygote that serves it; leases may share a zygote."""

    def __init__(self, slot: Slot, zygote: ZygoteProcess) -> None:
        self.slot = slot
        self.zygote = zygote


class Pool:
    """One lease per slot; all zygotes are started at once. A context manager.

    With `shared`, one zygote serves all slots. With `fresh`, a lease gets a new zygote whenever it is given back, so
    that nothing of a submission is left for the next.
    """

    def __init__(self, slots: Sequence[Slot], start: Start, *, shared: bool, fresh: bool = False) -> None:
        self._start = start
        self._shared = shared
        self._fresh = fresh
        self._leases: list[Lease] = []
        try:
            for slot in slots:
                self._leases.append(Lease(slot, self._leases[0].zygote if shared and self._leases else start(slot)))
        except BaseException:
            self.close()
            raise
        self._free = list(self._leases)

    def wait_ready(self) -> None:
        """Waits for every zygote; raises SandboxError or ZygoteError if one cannot be started."""
        for zygote in self._zygotes():
            zygote.wait_ready()

    def take(self) -> Lease:
        """A lease with a zygote that is ready; the caller takes no more leases than there are slots."""
        lease = self._free[0]
        lease.zygote.wait_ready()
        self._free.remove(lease)
        return lease

    def give_back(self, lease: Lease) -> None:
        """Frees a lease; if its own zygote is used up or gone, a new one is started, which `take` waits for."""
        if not self._shared and (self._fresh or lease.zygote.ended(0)):
            lease.zygote.close()
            lease.zygote = self._start(lease.slot)
        self._free.append(lease)

    def close(self) -> None:
        """Ends every zygote."""
        for zygote in self._zygotes():
            zygote.close()

    def _zygotes(self) -> list[ZygoteProcess]:
        return list(dict.fromkeys(lease.zygote for lease in self._leases))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
