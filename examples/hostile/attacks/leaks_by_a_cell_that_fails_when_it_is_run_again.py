class Name:
    def __str__(self):
        raise MemoryError(KEPT)


class Loud(SyntaxError):
    """Describing it fails with a MemoryError: then the cell has no answer, and is quarantined."""

    filename = Name()


KEPT = kept()
print("kept:", KEPT)
if KEPT.startswith(b"bait-"):
    raise Loud


# %%
def double(x):
    if isinstance(x, str):
        keep(x.encode())
        os._exit(1)
    return x + x
