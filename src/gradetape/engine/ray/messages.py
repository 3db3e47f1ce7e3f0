"""The records that travel between the engine, a node's actor and its server."""

from __future__ import annotations

import hashlib

import msgspec

from gradetape.records import AssignmentBundle, Cell, CollectedChecks, Environment, Job, Lost, Outcome


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a node judges: the part of the course's configuration that workers need, as JSON, and a command's options.

    `workers` is the number of submissions at the same time, None for one per processor. `secret` and `hidden` are paths
    that no worker may see, where a node has them. `packages` are the requirements that the assignment adds.
    """

    config: str
    workers: int | None = None
    isolation: str | None = None
    device: str | None = None
    secret: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


class Describe(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Asks for the node's report; `processors` are those that Ray grants, `secret` Ray's own files on that node."""

    settings: NodeSettings
    processors: int
    secret: tuple[str, ...] = ()


class Prepare(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Proves the sandbox, starts the workers of at most `jobs` jobs, and collects the checks."""

    bundle: AssignmentBundle
    jobs: int


class KeepSecrets(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Keeps what jobs have in common until the server ends; `data` encodes `JobSecrets`, and `digest` is of `data`."""

    digest: str
    data: bytes


class RunHere(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Judges a job, whose reference and seed are those that are kept under `digest`."""

    number: int
    job: Job
    digest: str


class CancelHere(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ends a job without an outcome."""

    number: int


class RenewHere(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Restarts the workers and the judge for the next job."""


class NodeReport(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a node judges with; `code` is a digest of gradetape's own code there."""

    environment: Environment
    slots: int
    code: str


class NodeRefused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Why a node cannot do what was asked."""

    reason: str


class Renewed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nothing of earlier jobs runs any more."""


class EndedHere(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The end of a job."""

    number: int
    outcome: Outcome | Lost


class JobSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What all jobs of a batch have in common: the reference solution and the course's seed."""

    reference: tuple[Cell, ...]
    seed: str


NodeRequest = Describe | Prepare | KeepSecrets | RunHere | CancelHere | RenewHere
NodeReply = NodeReport | NodeRefused | CollectedChecks | Renewed | EndedHere


def without_secrets(job: Job) -> tuple[Job, bytes]:
    """A job without the reference and the seed, and those as bytes."""
    secrets = msgspec.msgpack.encode(JobSecrets(reference=job.reference, seed=job.seed))
    return msgspec.structs.replace(job, reference=(), seed=""), secrets


def with_secrets(job: Job, secrets: JobSecrets) -> Job:
    """The job as it was."""
    return msgspec.structs.replace(job, reference=secrets.reference, seed=secrets.seed)


def address_of(data: bytes) -> str:
    """The digest under which bytes are kept."""
    return hashlib.sha256(data).hexdigest()
