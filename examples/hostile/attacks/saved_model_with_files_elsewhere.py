import numpy as np

NAMES = [
    "../../owned",
    "/tmp/owned",
    "",
    ".",
    "a\0b",
    "saved_model.pb/x",
    "n" * 5000,
    "variables/../../owned",
    "\ud800",
]
plain, counted = worker._operations["read_tree"], [0]


def read_tree(folder):
    counted[0] += 1
    name = NAMES[counted[0] % len(NAMES)]
    return {name: np.arange(10, dtype=np.uint8), "saved_model.pb": np.ones((2, 2)), b"bytes": np.ones(1), 7: np.ones(1)}


worker._operations["read_tree"] = read_tree
