import gc

for thing in gc.get_objects():
    if type(thing).__name__ == "Worker" and hasattr(thing, "_operations"):
        plain = thing._answer

        def answer(operation, args, plain=plain):
            if operation != "call":
                return plain(operation, args)
            return ["raised", ["Skipped", "AssertionError", "KeyboardInterrupt"], "Skipped", "x" * 10**6, "y" * 10**6]

        thing._answer = answer
