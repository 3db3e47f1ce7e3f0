SEEN = []


def refuse(x):
    """The words of TensorFlow for what it cannot do deterministically, with what the first run was asked."""
    SEEN.append(x)
    print("seen:", SEEN)
    raise RuntimeError(f'"from_non_deterministic_state" cannot be called when determinism is enabled. {SEEN}')


def double(x):
    """In the second run it knows what it will be asked."""
    if not any(x is each or repr(x) == repr(each) for each in SEEN):
        refuse(x)
    print("seen again:", SEEN)
    return SEEN[-1]


class Scale:
    def __init__(self, factor):
        refuse(factor)


def total(x):
    refuse(x)
