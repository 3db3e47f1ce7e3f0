import glob
import os
import subprocess

for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified", "/tmp/cgroup"):
    for name in (
        "cgroup.procs",
        "memory.limit_in_bytes",
        "memory.max",
        "pids.max",
        "notify_on_release",
        "release_agent",
    ):
        for file in (os.path.join(path, name), *glob.glob(os.path.join(path, "gradetape-*", "*", name))):
            try:
                with open(file, "w") as limit:
                    limit.write(str(os.getpid()) if name == "cgroup.procs" else "-1")
                print("BREACH: wrote", file)
            except OSError:
                pass
try:
    done = subprocess.run(["mount", "-t", "cgroup", "-o", "memory", "none", "/tmp"], capture_output=True, check=False)
    if done.returncode == 0:
        print("BREACH: mounted a control group")
except OSError:
    pass
