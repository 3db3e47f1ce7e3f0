"""The sandbox of a worker. Theory of operation.

The zygote has imported TensorFlow and computed nothing. For each worker it forks a child, and that child calls
`Sandbox.enter(work)`, which never returns: it sets up the isolation layers, forks what it needs, reports that the
sandbox is ready, runs `work` (the worker's loop) in the innermost process, and ends. Under `namespaces` three processes
stand in a row:

    zygote ── A ── B ── C
              │    │    └ the worker: its own uid, no capabilities, no new privileges, resource limits
              │    └ init of the new pid namespace: builds the private root, reaps, ends last; killing it kills all
              └ enters the new namespaces and waits for B, so that the zygote has a child of its own to wait for

Where namespaces are not available, as in many containers, `plain` is used: A is the *keeper*, which adopts every
process that the worker starts, and C is its child, confined by Landlock, its own uid and the system call filter
(`plain.py`, `tree.py`).

Trust runs inwards only. The zygote reads one report channel per worker. C first sends a descriptor of its own memory on
it, so that the zygote can compare what the student's code replaces, and closes its end before any of that code runs;
after that only A and B hold it, and they report how C ended. End of file means that every process of the worker has
ended.

No isolation layer is dropped silently. Before TensorFlow is imported, a worker without a student runs a rehearsal: it
sets up the sandbox, runs the self-test (`selftest.py`), leaves a daemon behind, and ends. A layer that cannot be set
up, an attempt that succeeds, a daemon that outlives its worker, and a machine where a worker's total memory cannot be
limited (`groups.py`) each raise a SandboxError that names the layer and says how to get it. Every worker that runs a
student's code repeats the self-test. A layer that cannot be set up is never the student's fault.

`Sandbox` is the interface. Its backends are `namespaces`, `plain` where namespaces are not available, and `bare`, which
serves `--isolation none` alone.
"""
