import gc
import sys
import time

gc.unfreeze()
gc.collect()


def hunt():
    end = time.monotonic() + 1
    for thing in gc.get_objects():
        if time.monotonic() > end:
            return
        kind = type(thing)
        values = list(thing.values()) if kind is dict else list(thing) if kind in (list, tuple, set) else []
        yield "\n".join(value for value in values if type(value) is str and "canary" in value)
        yield b"\n".join(value for value in values if type(value) is bytes and b"canary" in value)


SECRET = ("Job", "GradableAssignment", "AnswerKey", "Check", "CheckResult", "Grade")
secret = [type(thing).__name__ for thing in gc.get_objects() if type(thing).__name__ in SECRET]
outside = tuple(
    f"gradetape.{name}" for name in ("judge", "remote", "engine", "grading", "course", "runtime", "checks", "cli")
) + ("pytest", "_pytest")
modules = [name for name in sys.modules if name.startswith(outside)]
if secret or modules:
    print("BREACH: the far side holds", secret[:5], modules[:5])
