import os
import resource

LIMITS = (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_NOFILE)


def changes(process):
    for limit in LIMITS:
        yield f"limit {limit}", lambda limit=limit: resource.prlimit(process, limit, (1, 1))
    yield "priority", lambda: os.setpriority(os.PRIO_PROCESS, process, 19)
    yield "processors", lambda: os.sched_setaffinity(process, {0})


for process in {os.getppid(), 1}:
    for what, change in changes(process):
        try:
            change()
            print(f"BREACH: the {what} of process {process} was changed")
        except OSError:
            pass
for core in (0, 1 << 20):
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (core, core))
        print("BREACH: a handler of core dumps can be called")
    except (OSError, ValueError):
        pass
