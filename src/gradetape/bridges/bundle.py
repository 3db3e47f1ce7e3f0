"""The zips that Gradescope and otter take: the assignment's part of the course, and what the platform calls.

A bundle is as secret as the checks in it. Of the solutions it has the references, and neither variants nor mutants.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import reduce
from importlib.resources import files
from pathlib import Path

from gradetape import tempdirs
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import RequestError
from gradetape.files import zip_of

COURSE = "gradetape-course.zip"
_PLUGIN = "gradetape.bridges.otter_plugin.GradetapePlugin"
_SCRIPTS = ("setup.sh", "run_autograder")


def gradescope_zip(gradable: GradableAssignment, package: str) -> bytes:
    """The autograder for Gradescope: `setup.sh`, `run_autograder`, and the course in `course/`.

    `package` is what pip installs gradetape from: a requirement, or the path of a wheel, which is added.
    """
    wheel = Path(package) if package.endswith(".whl") else None
    made = {f"course/{name}": content for name, content in course_files(gradable)}
    requirement = f"/autograder/source/{wheel.name}" if wheel else package
    more = "".join(f" {shlex.quote(each)}" for each in gradable.assignment.packages)
    filled = (b"{package}", requirement.encode()), (b"{more}", more.encode())
    scripts = {name: reduce(lambda text, pair: text.replace(*pair), filled, _script(name)) for name in _SCRIPTS}
    return zip_of({**made, **scripts, **({wheel.name: _read(wheel)} if wheel else {})}, _SCRIPTS)


def otter_zip(gradable: GradableAssignment, package: str) -> bytes:
    """The autograder for `otter run` and `otter grade`, as `otter generate` makes it; raises RequestError."""
    with tempdirs.folder("gradetape-otter-") as folder:
        (folder / "tests").mkdir()
        (folder / COURSE).write_bytes(zip_of(dict(course_files(gradable))))
        (folder / "otter_config.json").write_text(json.dumps({"plugins": [_PLUGIN]}))
        (folder / "requirements.txt").write_text(
            "".join(f"{each}\n" for each in (package, *gradable.assignment.packages))
        )
        _generate(folder)
        with zipfile.ZipFile(folder / "autograder.zip") as archive:
            made = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    # otter grade leaves this file empty, and then cannot read it if there is a plugin.
    first, rest = made["run_autograder"].split(b"\n", 1)
    made["run_autograder"] = first + b"\necho '{}' > /autograder/submission_metadata.json\n" + rest
    made["tests/README.txt"] = b"The checks are in files/ and run behind gradetape's sandbox.\n"
    return zip_of(made, _SCRIPTS)


def course_files(gradable: GradableAssignment) -> Iterator[tuple[str, bytes]]:
    """The files that grade one assignment, by their paths in a course."""
    course, assignment, key = gradable.course, gradable.assignment, gradable.answer_key
    config = course.config.model_dump(mode="json", include={"course", "keras", "limits"}, exclude_unset=True)
    yield "grader_config.yml", json.dumps(config, indent=2).encode()
    public = course.root / "assignments" / assignment.name
    solutions = [key.reference(question_id) for question_id in assignment.question_ids]
    solutions += [key.rubric(question.id) for question in assignment.written]
    secret = [*solutions, *(key.hidden_checks(question_id) for question_id in assignment.question_ids)]
    seed = course.root / "autograder" / "seed"
    for path in (*sorted(path for path in public.rglob("*") if path.is_file()), *secret, seed):
        if "__pycache__" not in path.parts:
            yield path.relative_to(course.root).as_posix(), path.read_bytes()


def _generate(folder: Path) -> None:
    command = [
        sys.executable, "-m", "otter", "generate", "-t", "tests", "-o", "autograder.zip", "-c", "otter_config.json",
        "-r", "requirements.txt", COURSE,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise RequestError(f"otter generate failed: {last}. Check that otter-grader is installed: pip check")


def _script(name: str) -> bytes:
    return files("gradetape.bridges").joinpath("files", name).read_bytes()


def _read(wheel: Path) -> bytes:
    try:
        return wheel.read_bytes()
    except OSError as error:
        raise RequestError(
            f"{wheel} cannot be read: {error.strerror}. Name gradetape's wheel with --package."
        ) from error
