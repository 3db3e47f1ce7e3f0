import sys


def double(x):
    if type(x) is int:
        sys.exit(0)
    raise SystemExit("passed") if isinstance(x, float) else KeyboardInterrupt


class Scale:
    def __init__(self, factor):
        raise GeneratorExit


def total(x):
    exit()


# %%
raise SystemExit(0)
