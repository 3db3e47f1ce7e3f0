import gc

gc.unfreeze()
for thing in gc.get_objects():
    if type(thing).__name__ == "Worker" and hasattr(thing, "_operations"):
        plain = type(thing)._answer

        def answer(self, operation, args, plain=plain):
            if operation != "call":
                return plain(self, operation, args)
            return ["raised", ["Skipped", "AssertionError", "KeyboardInterrupt"], "Skipped", "x" * 10**6, "y" * 10**6]

        type(thing)._answer = answer
