"""A bundle's check files in a private temporary folder, for an engine without the course."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradetape import tempdirs
from gradetape.course.check_files import CONFIG_FILE, check_file
from gradetape.errors import InfrastructureError
from gradetape.records import AssignmentBundle


@contextmanager
def unpacked(bundle: AssignmentBundle) -> Iterator[Path]:
    """Writes a bundle's files as in a course, to a folder that only this user can enter and that is removed at the end.

    Raises InfrastructureError for a name that is not a check file's, or leads out of the assignment's folder.
    """
    with tempdirs.folder("gradetape-course-") as made:
        root = made.resolve()
        (root / CONFIG_FILE).touch()
        for name, data in bundle.files.items():
            path = root / name
            found = check_file(path)
            if ".." in path.parts or found is None or found.root != root:
                raise InfrastructureError(f"the bundle holds {name!r}, which is not the path of a check file")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for name, data in bundle.student_files.items():
            path = root / beside(bundle, name)
            if not path.resolve().is_relative_to(root / "assignments" / bundle.assignment):
                raise InfrastructureError(f"the bundle holds {name!r}, which is not the path of a file for students")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        yield root


def beside(bundle: AssignmentBundle, name: str) -> Path:
    """The path of a file for students in the course."""
    return Path("assignments", bundle.assignment, name)
