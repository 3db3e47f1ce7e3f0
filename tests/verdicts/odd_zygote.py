"""A zygote on a machine with one defect; the policy comes on standard input, as for any zygote."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

from gradetape.sandbox import landlock, namespaces, selftest, syscalls
from gradetape.sandbox.bare import BareSandbox
from gradetape.sandbox.base import Reports
from gradetape.sandbox.driver import DriverAccess
from gradetape.sandbox.plain import PlainSandbox
from gradetape.worker import forker, zygote


class Ending(BareSandbox):
    """The worker ends while its sandbox is built."""

    def enter(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        os._exit(0)


class Loose(BareSandbox):
    """Nothing ends what a worker leaves behind."""

    def enter(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        reports.ready(())
        work()
        os._exit(0)


class Leaky(BareSandbox):
    """Every attempt of the self-test is refused, and the worker has kept what it could do as root."""

    def enter(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        selftest._fails = lambda _: True
        selftest.prove(selftest.Tried((), gone=False, landlocked=False, parent=False))
        os._exit(0)


class Privileged(Leaky):
    """It has given that up, and could get it back."""

    def enter(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        syscalls.drop_capabilities()
        super().enter(uid, gpu, work, reports, keep)


def capable() -> type[Any]:
    return Leaky


def privileged() -> type[Any]:
    return Privileged


def reachable() -> type[Any]:
    """A network namespace has a way out."""
    namespaces._reaches_the_network = lambda: True
    return namespaces.NamespaceSandbox


def ending() -> type[Any]:
    return Ending


def loose() -> type[Any]:
    """Nor is there a control group."""
    forker._DAEMON_S = 0.5
    forker.Groups.make = lambda _: None
    return Loose


def computed() -> type[Any]:
    """TensorFlow has made its context as it was imported."""
    names = ["gradetape.worker.worker", "h5py", "tensorflow", "tensorflow.python", "tensorflow.python.eager"]
    sys.modules |= {name: ModuleType(name) for name in names}
    vars(sys.modules["gradetape.worker.worker"])["Worker"] = object
    vars(sys.modules["tensorflow"])["keras"] = SimpleNamespace(Model=object)
    context = SimpleNamespace(context=lambda: SimpleNamespace(_context_handle=object()))
    vars(sys.modules["tensorflow.python.eager"])["context"] = context
    return BareSandbox


def ordinary() -> type[Any]:
    """An ordinary user, whose Landlock does not keep signals in."""
    os.geteuid = lambda: 1000
    landlock.restrict = lambda *_: ("landlock",)
    return PlainSandbox


if __name__ == "__main__":
    forker._BACKENDS["none"] = (globals()[sys.argv[1]](),)
    sys.exit(zygote.main())
