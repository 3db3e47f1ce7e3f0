"""The walls around a worker. Theory of operation.

The zygote has imported TensorFlow and computed nothing. For each worker it forks a child, and that child calls
`Walls.enter(work)`, which never returns: it builds the walls, forks what it needs, reports `Ready`, runs `work` (the
worker's loop) in the innermost process, and ends. Three processes stand in a row under `namespaces`:

    zygote ── A ── B ── C
              │    │    └ the worker: a uid of its own, no capabilities, no new privileges, resource limits
              │    └ init of the new pid namespace: built the private root, reaps, dies last; killing it kills all
              └ entered the new namespaces; waits for B, so that the zygote has a child of its own to wait for

Where namespaces cannot be had, as in many a container, there is `plain`: A is the *keeper* that adopts all that the
worker starts, and C its child, held by Landlock, a uid of its own and the filter of system calls (`plain.py`,
`tree.py`).

Trust runs inwards only. The zygote reads one pipe a worker, whose writing end C closes before any of the student's code
runs; after that only A and B hold it, and they say how C ended. End of file on it means that every process of the
worker is gone.

Nothing is silently less. Before TensorFlow is imported a worker without a student rehearses: it builds the walls, tries
them (`selftest.py`), leaves a daemon behind, and ends. A wall that cannot be built, a try that gets through, a daemon
that outlives its worker, and a machine where the sum of a worker's memory cannot be limited (`groups.py`) are each a
WallsError that names it and says how to get it. Every worker of a student tries its walls again. A wall that cannot be
built is never the student's fault.

`Walls` is the interface; `namespaces` and, where these cannot be had, `plain` are its backends, and `bare`, which is
for `--isolation none` alone.
"""
