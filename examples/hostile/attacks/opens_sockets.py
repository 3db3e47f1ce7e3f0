import socket

REFUSED = [
    ("inet", socket.AF_INET, socket.SOCK_STREAM, ("192.0.2.1", 80)),
    ("inet to itself", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 22)),
    ("inet udp", socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 53)),
    ("inet6", socket.AF_INET6, socket.SOCK_STREAM, ("2001:db8::1", 80)),
    ("raw", socket.AF_INET, socket.SOCK_RAW, ("192.0.2.1", 0)),
    ("unix", socket.AF_UNIX, socket.SOCK_STREAM, "/run/systemd/private"),
    ("unix abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\0/tmp/.X11-unix/X0"),
    ("netlink", socket.AF_NETLINK, socket.SOCK_RAW, (0, 0)),
    ("vsock", socket.AF_VSOCK, socket.SOCK_STREAM, (2, 22)),
    ("packet", socket.AF_PACKET, socket.SOCK_RAW, ("lo", 3)),
    ("bluetooth", 31, socket.SOCK_RAW, None),
    ("alg", 38, socket.SOCK_SEQPACKET, ("hash", "sha256")),
    ("can", 29, socket.SOCK_RAW, None),
    ("xdp", 44, socket.SOCK_RAW, None),
    ("key", 15, socket.SOCK_RAW, None),
]
for name, family, kind, address in REFUSED:
    try:
        with socket.socket(family, kind, 2 if family == 15 else 0) as probe:
            probe.settimeout(0.2)
            if name == "alg":
                probe.bind(address)
            elif address is not None:
                probe.connect(address)
            print("BREACH: a socket", name)
    except OSError:
        pass
for family, address in (
    (socket.AF_INET, ("127.0.0.1", 0)),
    (socket.AF_UNIX, "\0hostile"),
    (socket.AF_UNIX, "/tmp/hostile"),
):
    try:
        with socket.socket(family) as listener:
            listener.bind(address)
            listener.listen()
            print("BREACH: listens at", address)
    except OSError:
        pass
