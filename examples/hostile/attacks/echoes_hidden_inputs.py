import sys

import numpy as np


def double(x):
    if type(x) is int:
        return None
    print("HIDDEN-INPUT", x)
    sys.stderr.write(f"HIDDEN-INPUT {x}")
    raise ValueError(f"HIDDEN-INPUT {x}") if isinstance(x, str) else NameError(f"HIDDEN-INPUT {x}", name=str(x))
