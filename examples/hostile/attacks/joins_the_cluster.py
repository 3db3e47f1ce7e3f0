import glob
import os
import socket
import subprocess
import sys

PLACES = ("~/.ray", "/root/.ray", "/home/*/.ray", "/tmp/ray", "/tmp/*/ray", "/tmp/gradetape-ray-*", "/tmp/gradetape-course-*",
          "/tmp/gradetape-node-*", "/dev/shm/plasma*", "/tmp/plasma*", "/var/run/ray*", "/etc/ray*",
          "/var/run/secrets/kubernetes.io")  # fmt: skip
PORTS = (6379, 6380, 8076, 8077, 8078, 8265, 10001, 10002, 44217, 44227, 52365)
HOSTS = ("127.0.0.1", "::1", socket.gethostname(), "10.0.0.1", "raycluster-head-svc")


def hunt():
    yield {name: value for name, value in os.environ.items() if "RAY" in name or "TOKEN" in name}
    for place in PLACES:
        for found in glob.glob(os.path.expanduser(place)):
            for folder, _, names in os.walk(found):
                for name in names:
                    try:
                        with open(os.path.join(folder, name), "rb") as file:
                            yield file.read(1 << 20)
                    except OSError:
                        pass
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/net/tcp*") + ["/proc/net/unix"]:
        try:
            with open(path, "rb") as file:
                yield file.read()
        except OSError:
            pass


for place in PLACES:
    for found in glob.glob(os.path.expanduser(place)):
        print("BREACH:", found, "is visible")
for name in os.environ:
    if name.startswith("RAY_"):
        print("BREACH:", name, "is in the environment")
for host in HOSTS:
    for port in PORTS:
        try:
            socket.create_connection((host, port), 0.2).close()
            print("BREACH: connects to", host, port)
        except OSError:
            pass
for path in ("/tmp/ray/session_latest/sockets/plasma_store", "/tmp/ray/session_latest/sockets/raylet"):
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)
            print("BREACH: connects to", path)
    except OSError:
        pass
try:
    tried = "import ray; ray.init(address='auto', logging_level='critical'); print(ray.nodes())"
    joined = subprocess.run([sys.executable, "-c", tried], capture_output=True, timeout=3)
    if joined.returncode == 0:
        print("BREACH: joins a cluster of Ray")
except (OSError, subprocess.SubprocessError):
    pass
