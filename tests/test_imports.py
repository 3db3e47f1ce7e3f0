"""Which module may import which: the plan of the packages, checked against every import in the package."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "gradetape"

# Each package with the packages or modules that it may import. Everything may import the leaves and its own package.
LEAVES = {"records", "errors", "text", "files", "tempdirs"}
ALLOWED = {
    "records": set(),
    "errors": set(),
    "text": set(),
    "files": set(),
    "tempdirs": set(),
    "course": set(),
    "intake": {"course.source"},
    "wire": set(),
    "sandbox": set(),
    "gradebook": set(),
    "exports": set(),
    "similar": set(),
    "report": {"exports", "similar"},
    "lms": {"exports", "intake"},
    "remote": {"wire"},
    "checks": {"remote"},
    "worker": {"wire", "sandbox"},
    "runtime": {"sandbox", "remote", "course"},
    "judge": {"wire", "sandbox", "remote", "checks", "course", "intake", "runtime"},
    "engine": {"wire", "judge", "runtime", "course"},
    "scaffold": {"course"},
    "release": {"course", "scaffold", "judge.registry"},
    "grading": {"engine", "gradebook", "report", "exports", "course", "intake", "remote.budget", "similar"},
    "verify": {"engine", "grading", "report", "release", "scaffold", "course"},
    "desk": {"grading", "engine", "report", "course", "exports"},
    "bridges": {"grading", "engine", "report", "course"},
    "doctor": {"runtime", "sandbox", "remote", "course"},
    "cli": {
        "bridges", "desk", "grading", "engine", "verify", "release", "scaffold", "doctor", "report", "exports",
        "runtime", "course", "lms", "similar",
    },
    "__main__": {"cli"},
}  # fmt: skip

# What must never be reached, by whatever detour: the worker stands beside the student's code, and the judge's client is
# none of its business; what serves students needs no grading.
NEVER = {"worker": {"remote", "judge"}, "release": {"remote", "runtime", "engine"}, "intake": {"remote", "judge"}}

# A heavy library is imported in one package; what only draws and what parses the command line stay where they are.
DOORS = {
    "tensorflow": {"worker"},
    "keras": {"worker"},
    "tf_keras": {"worker"},
    "sqlalchemy": {"gradebook"},
    "otter": {"release", "bridges"},
    "matplotlib": {"report"},
    "rich": {"cli", "verify", "report"},
    "click": {"cli"},
    "cosmic_ray": {"verify"},
    "libcst": {"verify"},
    "httpx": {"lms"},
    "keyring": {"lms"},
    "pyarrow": {"exports"},
    "starlette": {"desk"},
    "uvicorn": {"desk"},
}

# Their text is copied into the students' folder or into a submission. No module imports them.
COPIED = ("release/notebook_runtime.py", "release/tests_missing.py", "verify/zeros.py")

# Imports inside functions, with the reason.
LAZY = {
    "__main__.py": "Ctrl-C may come while the command line starts",
    "cli/watching.py": "watchfiles imports an event loop, and only --watch needs it",
    "doctor.py": "the doctor runs where Linux is not",
    "worker": "the worker chooses its Keras first",
    "judge/plugin.py": "pytest loads the plugin in every session",
    "judge/registry.py": "the plugin reads the marks in every session",
    "report/plots.py": "matplotlib takes a second to import",
    "verify/mutation/mutation.py": "the libraries that generate mutants are optional",
    "desk/opening.py": "the libraries that serve pages are optional",
    "lms/opening.py": "the libraries for learning platforms are optional",
    "exports/parquet.py": "the library that writes Parquet is optional",
    "sandbox/seccomp.py": "libseccomp may be missing",
}

# Packages that handle what came from a worker: nothing there may become code.
PLAIN_DATA = ("wire", "remote", "judge", "engine", "grading")
UNSAFE_MODULES = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
UNSAFE_CALLS = {"eval", "exec", "__import__", "import_module"}


def files() -> list[str]:
    return [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]


def package_of(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


def module_of(file: str) -> str:
    """A file's module, without `gradetape.`; a package's own module is the package."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"), file)


def imported(node: ast.AST) -> Iterator[str]:
    """The names that a statement imports, in full."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written in full"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(file: str) -> set[str]:
    return {name for node in ast.walk(tree(file)) for name in imported(node)}


def for_types(file: str) -> set[str]:
    """The names that a file imports under `if TYPE_CHECKING`."""
    blocks = [
        node for node in tree(file).body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    return {name for block in blocks for node in ast.walk(block) for name in imported(node)}


@cache
def edges(types: bool = True) -> dict[str, set[str]]:
    """For each module the modules of gradetape that it imports: at the top, in a function and, with `types`, for types.

    That a package's own `__init__` is run before its modules is no edge: else every `__init__` that names something
    would be in a cycle.
    """
    modules = {module_of(file) for file in files()}
    found: dict[str, set[str]] = {module: set() for module in modules}
    for file in files():
        for name in imports(file) if types else imports(file) - for_types(file):
            inner = name.removeprefix("gradetape.")
            if inner != name:
                found[module_of(file)].add(inner if inner in modules else inner.rpartition(".")[0] or "__init__")
    return found


def reached(module: str, graph: dict[str, set[str]]) -> set[str]:
    """All modules that importing a module leads to, however long the way."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        following = graph.get(waiting.pop(), set()) - found
        found |= following
        waiting += following
    return found


def within(module: str, names: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def test_imports_of_modules_make_no_cycle_of_any_length() -> None:
    """Imports for types count too: none of them has to be left out for this to hold."""
    in_cycles = {module for module in edges() if module in reached(module, edges())}
    assert {module: sorted(edges()[module] & in_cycles) for module in in_cycles} == {}


def test_a_cycle_is_found_whatever_its_length() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": {"e"}}
    assert [module for module in graph if module in reached(module, graph)] == ["a", "b", "c", "e"]


def test_the_plan_has_no_cycle() -> None:
    plan = {package: {name.split(".")[0] for name in names} for package, names in ALLOWED.items()}
    assert set(graphlib.TopologicalSorter(plan).static_order()) == set(ALLOWED)


def test_the_plan_names_every_package_and_nothing_that_does_not_exist() -> None:
    assert {package_of(file) for file in files()} - {"__init__"} == set(ALLOWED)
    named = {name for names in (*ALLOWED.values(), *NEVER.values(), *DOORS.values()) for name in names}
    packages = {package_of(file) for file in files()}
    assert {name for name in named if name not in edges() and name not in packages} == set()
    assert [file for file in (*COPIED, *LAZY) if not (PACKAGE / file).exists()] == []


@pytest.mark.parametrize("package", ALLOWED)
def test_the_plan_allows_nothing_that_is_not_imported(package: str) -> None:
    found = {each for module in edges() if within(module, {package}) for each in edges()[module]}
    assert {name for name in ALLOWED[package] if not any(within(each, {name}) for each in found)} == set()


@pytest.mark.parametrize("file", files())
def test_a_module_imports_only_what_the_plan_allows(file: str) -> None:
    if package_of(file) == "__init__":
        assert edges()["__init__"] == set()
        return
    allowed = ALLOWED[package_of(file)] | LEAVES | {package_of(file), "__init__"}
    assert {module for module in edges()[module_of(file)] if not within(module, allowed)} == set()


@pytest.mark.parametrize("package", NEVER)
def test_a_package_never_reaches_what_it_must_not(package: str) -> None:
    inner = {module for module in edges() if within(module, {package})}
    following = {each for module in inner for each in reached(module, edges(types=False))}
    assert {each for each in following if within(each, NEVER[package])} == set()


def test_no_module_imports_what_is_only_copied() -> None:
    copied = {module_of(file) for file in COPIED}
    assert {module for module, found in edges().items() if found & copied} == set()


@pytest.mark.parametrize("file", [file for file in files() if file not in COPIED])
def test_a_heavy_library_is_imported_only_by_its_own_package(file: str) -> None:
    libraries = {name.split(".")[0] for name in imports(file)}
    own = package_of(file)
    assert {library for library in libraries if own not in DOORS.get(library, {own})} == set()


def inner_imports(file: str) -> set[str]:
    """What a file imports elsewhere than at its top."""
    top = set(tree(file).body)
    guarded = {node for block in top if isinstance(block, ast.If | ast.Try) for node in ast.walk(block)}
    return {name for node in ast.walk(tree(file)) if node not in top | guarded for name in imported(node)}


@pytest.mark.parametrize("file", [file for file in files() if not {file, package_of(file)} & set(LAZY)])
def test_imports_stand_at_the_top(file: str) -> None:
    assert inner_imports(file) == set()


@pytest.mark.parametrize("listed", LAZY)
def test_what_may_import_in_functions_does_so(listed: str) -> None:
    assert any(inner_imports(file) for file in files() if listed in (file, package_of(file)))


@pytest.mark.parametrize("file", [file for file in files() if package_of(file) in PLAIN_DATA])
def test_nothing_from_a_worker_can_become_code(file: str) -> None:
    modules = {name.split(".")[0] for name in imports(file)}
    called = (node.func for node in ast.walk(tree(file)) if isinstance(node, ast.Call))
    names = {func.id if isinstance(func, ast.Name) else getattr(func, "attr", "") for func in called}
    assert (modules & UNSAFE_MODULES) | (names & UNSAFE_CALLS) == set()


@pytest.mark.parametrize("file", [file for file in files() if package_of(file) in ("release", "intake")])
def test_what_serves_students_never_asks_for_the_answer_key(file: str) -> None:
    nodes = list(ast.walk(tree(file)))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    assert names & {"answer_key", "AnswerKey"} == set()


def test_the_architecture_page_lists_every_package_and_what_it_may_import() -> None:
    page = PACKAGE.parents[1] / "docs" / "architecture.md"
    table = page.read_text(encoding="utf-8").partition("| package |")[2]
    rows = [[set(re.findall(r"`([\w.]+)`", cell)) for cell in line.split("|")[1:4]] for line in table.splitlines()]
    described = {name: allowed for names, _, allowed in (row for row in rows if len(row) == 3) for name in names}
    assert {"__main__": {"cli"}} | described == ALLOWED
