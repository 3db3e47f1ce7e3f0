"""Every exception of gradetape, drawn once.

GradetapeError                 a person can mend it: the text says what is wrong, where, and what to do next
├── ConfigError                grader_config.yml or assignment.yml is wrong
├── CourseError                the masters are wrong: a stem that does not match, a missing file
├── SubmissionError            a file that cannot be read as a submission
├── GradebookError             the gradebook or the results folder cannot be used
├── ReleaseError               student/ could not be built
├── RequestError               a command asks for what cannot be: an unknown question, points out of range
└── InfrastructureError        the grader's own machinery failed; never charged to a student
    ├── WallsError             a wall that is required could not be built
    ├── ZygoteError            the process that forks workers is gone
    ├── EngineError            podman or Docker is missing, or did not do what it was asked
    └── DeviceError            there is no GPU where one is asked for

WireError                      bytes from the other side that are not a frame of plain data
WireRefused (TypeError)        a value of ours that does not travel; nothing was sent

StudentError                   the student's code raised; also derives from the nearest built-in exception
FarSideEvent (BaseException)   not an Exception: no `except Exception` in a check can swallow it
├── Missing                    the submission does not define a name
├── Gone                       the worker is no more: timeout, memory or crashed
└── Overdue                    the check's own code ran past its deadline
"""

from __future__ import annotations


class GradetapeError(Exception):
    """A problem that a person can mend; shown without a traceback."""


class ConfigError(GradetapeError):
    """A configuration file is wrong."""


class CourseError(GradetapeError):
    """The masters of a course are wrong."""


class SubmissionError(GradetapeError):
    """A file cannot be read as a submission."""


class GradebookError(GradetapeError):
    """The gradebook or the results folder cannot be used."""


class ReleaseError(GradetapeError):
    """The students' folder could not be built."""


class RequestError(GradetapeError):
    """A command asks for what cannot be: an unknown question, points out of range."""


class InfrastructureError(GradetapeError):
    """The grader's own machinery failed; never charged to a student."""


class SandboxError(InfrastructureError):
    """A wall that is required could not be built."""


class ZygoteError(InfrastructureError):
    """The process that forks workers is gone or does not answer."""


class EngineError(InfrastructureError):
    """A container engine is missing, does not answer, or did not do what it was asked."""


class DeviceError(InfrastructureError):
    """There is no GPU where one is asked for, or TensorFlow does not see it."""


class WireError(Exception):
    """Bytes from the other side that are not a frame of plain data within the limits."""


class WireRefused(TypeError):
    """A value of ours that does not travel; nothing was sent."""


class StudentError(Exception):
    """Code on the far side raised: `kind` is the exception's name there, `traceback` the student's own lines.

    `role` tells whose far side it was: `student`, `reference` or `clean`.
    """

    kind: str = ""
    traceback: str = ""
    role: str = "student"


class WorkerEvent(BaseException):
    """Something that ends a check whatever its code does; the first of a check is its verdict."""


class Missing(WorkerEvent):
    """The submission does not define the name that a check asked for."""


class Gone(WorkerEvent):
    """The worker is no more; `cause` is `timeout`, `memory`, `crashed` or `fault`."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause
        self.detail = detail


class Overdue(WorkerEvent):
    """The check's own code ran past its deadline."""
