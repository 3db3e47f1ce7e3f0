import glob
import json
import socket

PLACES = [*glob.glob("/tmp/gradetape-*/zygote"), *glob.glob("/proc/1/root/tmp/gradetape-*/zygote")]
try:
    with open("/proc/net/unix") as table:
        PLACES += [
            line.split()[7].replace("@", "\0") for line in table.read().splitlines()[1:] if len(line.split()) > 7
        ]
except OSError:
    pass
for place in PLACES:
    for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_UNIX, kind) as zygote:
                zygote.settimeout(0.2)
                zygote.connect(place)
                print("BREACH: connected to", place)
                zygote.send(json.dumps({"do": "spawn", "worker": 1, "role": "reference"}).encode())
                zygote.send(b"malformed")
        except OSError:
            pass
with socket.socket(fileno=100) as data:
    try:
        socket.send_fds(data, [b""], [0])
        print(data.getsockname(), data.getpeername(), data.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    finally:
        data.detach()
