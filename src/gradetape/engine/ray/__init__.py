"""Judges on the machines of a Ray cluster, as `engine: ray`; `opening.open_engine` opens it.

    opening.py      the course's settings -> the engine; without the library, the command that installs it
    joining.py      joins a cluster that refuses strangers, or starts one on this machine
    access.py       a process that tries to reach a cluster, with a token or without one
    cluster.py      the cluster: its nodes, an actor on each, and calls that are answered later
    nodes.py        what the engine knows of each node, and which nodes judge alike
    ray_engine.py   the engine: jobs to nodes, and outcomes back
    node_actor.py   the actor on a node: passes messages on to the node's server
    node_server.py  the process that the actor starts: the node's LocalEngine
    messages.py     the records that travel between them

The driver's process is the only one that knows the gradebook. Everything that crosses the network is bytes that msgspec
encodes and decodes. Whatever fails on a node costs the jobs that ran there, which end as `Lost`, and the node a pause.
"""
