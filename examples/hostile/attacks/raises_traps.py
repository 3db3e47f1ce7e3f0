class Trap(ZeroDivisionError):
    def __str__(self):
        while True:
            pass


class Liar(Exception):
    __name__ = property(lambda self: 1 / 0)

    def __str__(self):
        raise KeyboardInterrupt


Passed = type("Skipped", (Exception,), {"__module__": "builtins"})
Outcome = type("Exit", (BaseException,), {"__module__": "_pytest.outcomes"})
Again = type("MemoryError", (Exception,), {"__module__": "tensorflow"})
StudentError = type("WorkerEvent", (BaseException,), {"__module__": "gradetape.errors"})


def double(x):
    if type(x) is int:
        raise Trap
    raise Liar if isinstance(x, float) else StopIteration(x)


class Scale:
    def __init__(self, factor):
        raise Passed if factor == 3.0 else Outcome


def total(x):
    raise StudentError("passed") if len(x) == 2 else GeneratorExit(8)
