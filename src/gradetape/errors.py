"""The exceptions of gradetape.

GradetapeError                 the user can fix it: the text says what is wrong, where, and what to do next
├── ConfigError                grader_config.yml or assignment.yml is wrong
├── CourseError                the question sources or the answer key are wrong: a missing file, an unknown question
├── SubmissionError            a file cannot be read as a submission
├── GradebookError             the gradebook or the results folder cannot be used
├── ReleaseError               the students' folder cannot be built
├── LmsError                   a learning platform refuses a request, or does not answer
│   └── LmsFileError           it does not give what is at one address, or that is too large; others may be there
├── RequestError               a command asks for something impossible: an unknown question, points out of range
└── InfrastructureError        the grader itself failed; never charged to a student
    ├── SandboxError           a required isolation layer is not available or does not hold
    │   └── SandboxUnavailable (sandbox.base) one backend is not available here; another one may be
    ├── ZygoteError            the process that forks workers has ended or does not answer
    ├── EngineError            podman or Docker is missing, does not answer, or failed
    └── DeviceError            a GPU is requested and there is none

WireError                      bytes from the worker are not a valid frame of plain data
└── TooMuchData                a reply has more bytes than the check may still receive
WireRefused (TypeError)        a value cannot be sent; nothing was sent

StudentError                   the student's code raised; also derives from the nearest built-in exception
WorkerEvent (BaseException)    not an Exception, so that no `except Exception` in a check can catch it
├── Missing                    the submission does not define a name
├── Gone                       the worker has ended: timeout, memory, crashed or fault
│   └── Flooded                it was ended, because it sent more data than the check accepts
└── Overdue                    the check's own code ran past its deadline
"""

from __future__ import annotations


class GradetapeError(Exception):
    """A problem that the user can fix; shown without a traceback."""


class ConfigError(GradetapeError):
    """A configuration file is wrong."""


class CourseError(GradetapeError):
    """The question sources or the answer key of a course are wrong."""


class SubmissionError(GradetapeError):
    """A file cannot be read as a submission."""


class GradebookError(GradetapeError):
    """The gradebook or the results folder cannot be used."""


class ReleaseError(GradetapeError):
    """The students' folder cannot be built."""


class LmsError(GradetapeError):
    """A learning platform refuses a request, or does not answer."""


class LmsFileError(LmsError):
    """A learning platform does not give what is at one address, or that is too large; others may be there."""


class RequestError(GradetapeError):
    """A command asks for something impossible: an unknown question, points out of range."""


class InfrastructureError(GradetapeError):
    """The grader itself failed; never charged to a student."""


class SandboxError(InfrastructureError):
    """A required isolation layer is not available or does not hold."""


class ZygoteError(InfrastructureError):
    """The process that forks workers has ended or does not answer."""


class EngineError(InfrastructureError):
    """A container engine is missing, does not answer, or failed."""


class DeviceError(InfrastructureError):
    """A GPU is requested and there is none, or TensorFlow does not see it."""


class WireError(Exception):
    """Bytes from the worker that are not a valid frame of plain data within the limits."""


class TooMuchData(WireError):
    """A reply that has more bytes than the check may still receive; none of them was read."""


class WireRefused(TypeError):
    """A value that cannot be sent to the worker; nothing was sent."""


class StudentError(Exception):
    """Code in the worker raised: `kind` is the exception's name, `traceback` holds the student's own lines.

    `role` is the role of the worker: `student`, `reference` or `clean`.
    """

    kind: str = ""
    traceback: str = ""
    role: str = "student"


class WorkerEvent(BaseException):
    """An event that ends a check whatever its code does; the first event of a check decides its verdict."""


class Missing(WorkerEvent):
    """The submission does not define the name that a check asked for."""


class Gone(WorkerEvent):
    """The worker has ended; `cause` is `timeout`, `memory`, `crashed` or `fault`.

    `detail` is in the grader's words; `said` is what the code in the worker said, which is untrusted.
    """

    def __init__(self, cause: str, detail: str = "", said: str = "") -> None:
        super().__init__(": ".join(part for part in (cause, detail, said) if part))
        self.cause = cause
        self.detail = detail
        self.said = said


class Flooded(Gone):
    """The worker was ended, because it sent more data than the check accepts; the text is the judge's own."""

    def __init__(self, most: int) -> None:
        super().__init__(
            "memory",
            f"Your code returned more data than this check accepts ({most >> 20} MiB). Return what the question asks "
            "for, and nothing larger.",
        )


class Overdue(WorkerEvent):
    """The check's own code ran past its deadline."""
