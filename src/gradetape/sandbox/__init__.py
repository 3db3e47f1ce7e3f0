"""The walls around a worker. Theory of operation.

The zygote has imported TensorFlow and computed nothing. For each worker it forks a child, and that child calls
`Walls.enter(work)`, which never returns: it builds the walls, forks what it needs, reports `Ready`, runs `work` (the
worker's loop) in the innermost process, and ends. Three processes stand in a row under `namespaces`:

    zygote ── A ── B ── C
              │    │    └ the worker: a uid of its own, no capabilities, no new privileges, resource limits
              │    └ init of the new pid namespace: built the private root, reaps, dies last; killing it kills all
              └ entered the new namespaces; waits for B, so that the zygote has a child of its own to wait for

Trust runs inwards only. The zygote reads one pipe a worker, whose writing end C closes before any of the student's code
runs; after that only A and B hold it, and they say how C ended. End of file on it means that every process of the
worker is gone. A wall that cannot be built is reported as `broken`, and is never the student's fault.

`Walls` is the interface, `namespaces` and `bare` the backends; `bare` is for `--isolation none` alone.
"""
