import os
import random
import socket
import struct

data = socket.socket(fileno=os.dup(100))
chance = random.Random(7)
DEEP = b"\x91" * 100_000 + b"\xc0"
BODIES = {
    2: [DEEP, b"\xdd\xff\xff\xff\xff", b"\xc7\x04\x01\x91\x91\x91\x91", b"\xc1"],
    "else": [
        b"\xd6\xff\x00\x00\x00\x00",
        b"\x81\x01\x02",
        chance.randbytes(2000),
        b"\xdf\x7f\xff\xff\xff" + bytes(2000),
    ],
}


def double(x):
    for body in BODIES[2 if type(x) is int else "else"]:
        data.sendall(struct.pack("<IH", len(body), 0) + body)
    return True
