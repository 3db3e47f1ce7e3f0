import gc

for thing in gc.get_objects():
    if type(thing).__name__ == "Worker" and hasattr(thing, "_operations"):
        thing._answer = lambda operation, args: ["missing", "<script>alert(1)</script>\x1b[2J" * 1000]
