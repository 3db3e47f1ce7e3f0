"""What engines judge, and what they return."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gradetape.records.grades import CellEvent, Check, CheckResult
from gradetape.records.submissions import Cell


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A place where one submission at a time is graded: the CPU, or a device.

    `device` is its name for `CUDA_VISIBLE_DEVICES`, `card` the id of the card that it is or is a slice of, `cdi` its
    name for a container engine. `memory_mb` is the part of its memory, in MiB, that each worker may use; 0 is no limit.
    """

    device: str = ""
    card: str = ""
    cdi: str = ""
    memory_mb: int = 0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a submission: seconds of wall clock, seconds of CPU time, mebibytes, and counts.

    `load_s` limits a worker's start, `cell_s` one cell, `check_s` one check unless the check sets its own limit, and
    `submission_s` the whole submission. Those with `cpu` limit the CPU time of all its processes together. `memory_mb`
    limits one worker's memory, `disk_mb` each of its private folders, `output_kb` the printed text that is kept.
    """

    load_s: float = 60.0
    cell_s: float = 60.0
    check_s: float = 20.0
    submission_s: float = 900.0
    cell_cpu_s: float = 120.0
    check_cpu_s: float = 40.0
    submission_cpu_s: float = 1800.0
    memory_mb: int = 4096
    disk_mb: int = 512
    processes: int = 128
    output_kb: int = 64


class CheckLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit of one check in a job: seconds of wall clock, and seconds of CPU time of all its processes together."""

    seconds: float
    cpu_s: float


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a submission's code said when it was first judged: the events of its cells, its results of public checks.

    If the submission is judged again, its student reads these words and no others: by then its code has seen hidden
    inputs.
    """

    events: tuple[CellEvent, ...] = ()
    results: tuple[CheckResult, ...] = ()

    @classmethod
    def of(cls, events: tuple[CellEvent, ...], results: Iterable[CheckResult]) -> Said:
        """What these events and the public ones among these results say."""
        return cls(events=events, results=tuple(result for result in results if result.check.public))


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One of `count` jobs that judge the same submission at the same time, each some of its questions.

    `submission` is in these jobs and in no others.
    """

    submission: str
    count: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One submission to judge: its cells, the reference's, and how.

    `only` lists the ids of the checks to run, or None for all; `trusted` marks the reference itself. A `liar` is not
    run: for each check the reference runs with another seed, and its replies are played back to the check. A `puppet`
    gets the same seed, so that it says what is right, but it has no files and so no graphs.

    `check_limits` replaces the limits of single checks, by check id. `reference_bytes` says how many bytes the
    reference sends for each check: a submission may send a multiple. With `stop_at_failure` the checks run in the order
    of `only`, and the first one that is not passed is the last. `said` is given if the submission is judged again,
    `part` if other jobs judge it at the same time: then no hidden check begins in any of them while one of them still
    says what the student may read.
    """

    cells: tuple[Cell, ...]
    reference: tuple[Cell, ...]
    seed: str
    limits: Limits
    only: tuple[str, ...] | None = None
    trusted: bool = False
    liar: bool = False
    puppet: bool = False
    check_limits: dict[str, CheckLimit] = {}
    reference_bytes: dict[str, int] = {}
    stop_at_failure: bool = False
    said: Said | None = None
    part: Part | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The result of one judged job; `seconds` is its duration.

    `sent_bytes` is how much the submission sent for each check, by check id.
    """

    results: tuple[CheckResult, ...]
    events: tuple[CellEvent, ...] = ()
    layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    review: tuple[str, ...] = ()
    seconds: float = 0.0
    sent_bytes: dict[str, int] = {}


class Lost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A job that the grader's machinery lost; this is not the submission's fault.

    `said` is what its code had said by then; None if it had not met a hidden check yet. `said_before` is then what it
    had said: that counts if another part of its submission has met one.
    """

    reason: str
    said: Said | None = None
    said_before: Said | None = None


class CollectedChecks(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The checks of an assignment that can be run, and the reason for each file or check that cannot, by path."""

    checks: tuple[Check, ...]
    broken: dict[str, str] = {}


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's environment, as far as it can change results.

    `isolation` is as configured, `identity` adds the container's image and whether there is a GPU, `versions` the
    software by name; `message` is a sentence about the device that TensorFlow uses.
    """

    isolation: str
    identity: str
    versions: dict[str, str] = {}
    message: str = ""


class AssignmentBundle(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an engine needs to judge an assignment's jobs, wherever it runs.

    `files` holds each check file under its path in the course, in the order in which they are collected; `keras` is
    the generation, `limits` those that workers are started with. `student_files` lie beside every submission, by their
    paths from the notebook. `packages` are the requirements that the assignment adds. It is as secret as the checks in
    it.
    """

    assignment: str
    keras: str
    limits: Limits
    files: dict[str, bytes]
    student_files: dict[str, bytes] = {}
    packages: tuple[str, ...] = ()
