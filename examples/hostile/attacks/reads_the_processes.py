import glob
import os

KINDS = (
    "environ",
    "cmdline",
    "cwd",
    "exe",
    "stack",
    "status",
    "mountinfo",
    "auxv",
    "io",
    "fd/*",
    "fdinfo/*",
    "task/*/comm",
)


def hunt():
    for kind in KINDS:
        for path in glob.iglob(f"/proc/[0-9]*/{kind}"):
            try:
                yield os.readlink(path).encode("utf-8", "surrogateescape") if os.path.islink(path) else b""
                if "/fd/" not in path:
                    with open(path, "rb") as file:
                        yield file.read(1 << 20)
            except OSError:
                pass


def listed():
    try:
        return os.listdir("/proc")
    except OSError:
        return []


own = str(os.getpid())
others = [pid for pid in listed() if pid.isdigit() and pid not in ("1", "2", own)]
if len(others) > 1:
    print("BREACH: other processes are visible:", others)
