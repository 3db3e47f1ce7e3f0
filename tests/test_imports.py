"""Which room may import which: the house's plan, held by reading every import in the package."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "gradetape"

# Everything may use the leaves.
LEAVES = {"records", "errors", "text", "tempdirs"}
ALLOWED = {
    "records": set(),
    "errors": set(),
    "text": set(),
    "tempdirs": set(),
    "course": set(),
    "intake": {"course"},
    "wire": set(),
    "sandbox": set(),
    "gradebook": set(),
    "exports": set(),
    "report": {"exports"},
    "remote": {"wire"},
    "checks": {"remote"},
    "worker": {"wire", "sandbox"},
    "runtime": {"sandbox", "remote", "course"},
    "judge": {"wire", "sandbox", "remote", "checks", "course", "intake", "runtime"},
    "engine": {"wire", "judge", "runtime", "course"},
    "scaffold": {"course"},
    "release": {"course", "scaffold"},
    "grading": {"engine", "judge", "runtime", "gradebook", "report", "exports", "course", "intake"},
    "verify": {"engine", "grading", "release", "scaffold", "runtime", "course"},
    "doctor": {"runtime", "sandbox", "remote", "course"},
    "cli": {
        "grading", "engine", "verify", "release", "scaffold", "doctor", "gradebook", "report", "exports", "runtime",
        "course", "intake",
    },
}  # fmt: skip

# A heavy library has one door.
DOORS = {
    "tensorflow": {"worker"},
    "keras": {"worker"},
    "tf_keras": {"worker"},
    "sqlalchemy": {"gradebook"},
    "otter": {"release"},
    "matplotlib": {"report"},
}

# Their text is copied to where it runs, into the students' folder or into a submission; here nobody imports them.
TRAVEL = ("release/notebook_runtime.py", "verify/zeros.py")

# Beyond these an import inside a function hides an edge: the command line and the pytest plugin have to start fast,
# Ctrl-C may come while the command line starts, the far side chooses its Keras then, libseccomp may be missing, the
# doctor is called where Linux is, and matplotlib takes a second to import.
LAZY = {"__main__.py", "cli", "doctor", "worker", "judge/plugin.py", "report/plots.py", "sandbox/seccomp.py"}

# Rooms that handle what came from the far side: nothing there may become code.
PLAIN_DATA_ROOMS = ("wire", "remote", "judge", "engine", "grading")
UNSAFE_MODULES = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
UNSAFE_CALLS = {"eval", "exec", "__import__", "import_module"}


def files() -> list[str]:
    return [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]


def room(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"), file)


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that a statement imports, by their full names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written in full"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(file: str) -> set[str]:
    return {name for node in ast.walk(tree(file)) for name in imported(node)}


def rooms_used(file: str) -> set[str]:
    parts = [name.split(".") for name in imports(file)]
    return {name[1] for name in parts if name[0] == "gradetape" and len(name) > 1} - {room(file), "__version__"}


def test_the_plan_has_no_circle() -> None:
    order = list(graphlib.TopologicalSorter(ALLOWED).static_order())
    assert set(order) == set(ALLOWED)


def test_nobody_imports_what_only_travels() -> None:
    modules = {f"gradetape.{file.removesuffix('.py').replace('/', '.')}" for file in TRAVEL}
    assert not [file for file in files() if modules & set(imports(file))]


def test_every_room_is_in_the_plan() -> None:
    assert {room(file) for file in files()} - {"__init__", "__main__"} <= set(ALLOWED)


@pytest.mark.parametrize("file", files())
def test_a_file_imports_only_the_rooms_that_the_plan_allows(file: str) -> None:
    allowed = ALLOWED.get(room(file), set(ALLOWED)) | LEAVES
    assert rooms_used(file) <= allowed


@pytest.mark.parametrize("file", [file for file in files() if file not in TRAVEL])
def test_a_heavy_library_is_imported_only_by_its_own_room(file: str) -> None:
    libraries = {name.split(".")[0] for name in imports(file)}
    assert {library for library in libraries if room(file) not in DOORS.get(library, {room(file)})} == set()


@pytest.mark.parametrize("file", [file for file in files() if not {file, room(file)} & LAZY])
def test_imports_stand_at_the_top(file: str) -> None:
    top = set(tree(file).body)
    guarded = {node for block in top if isinstance(block, ast.If | ast.Try) for node in ast.walk(block)}
    inner = {name for node in ast.walk(tree(file)) if node not in top | guarded for name in imported(node)}
    assert inner == set()


@pytest.mark.parametrize("file", [file for file in files() if room(file) in PLAIN_DATA_ROOMS])
def test_nothing_from_beyond_the_wall_can_become_code(file: str) -> None:
    modules = {name.split(".")[0] for name in imports(file)}
    called = (node.func for node in ast.walk(tree(file)) if isinstance(node, ast.Call))
    names = {func.id if isinstance(func, ast.Name) else getattr(func, "attr", "") for func in called}
    assert (modules & UNSAFE_MODULES) | (names & UNSAFE_CALLS) == set()


@pytest.mark.parametrize("file", [file for file in files() if room(file) in ("release", "intake")])
def test_what_serves_students_never_asks_for_secrets(file: str) -> None:
    nodes = list(ast.walk(tree(file)))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    assert names & {"answer_key", "AnswerKey"} == set()


def test_the_architecture_page_lists_every_package_and_what_it_may_import() -> None:
    page = PACKAGE.parents[1] / "docs" / "architecture.md"
    table = page.read_text(encoding="utf-8").partition("| package |")[2]
    rows = [[set(re.findall(r"`(\w+)`", cell)) for cell in line.split("|")[1:4]] for line in table.splitlines()]
    described = {name: allowed for names, _, allowed in (row for row in rows if len(row) == 3) for name in names}
    assert described == ALLOWED
