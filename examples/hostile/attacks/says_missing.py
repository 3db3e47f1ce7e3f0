import gc

gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Worker" and hasattr(thing, "_operations"):
        type(thing)._answer = lambda *_: ["missing", "<script>alert(1)</script>\x1b[2J" * 1000]
