"""The style rules that can be counted: sizes of functions and classes, names, and what a package's `__init__` holds."""

from __future__ import annotations

import ast
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "gradetape"
MAX_LINES = 45
MAX_METHODS = 12
MAX_ATTRIBUTES = 10
# A class that is larger says why, in a sentence of its docstring that begins like this.
EXCUSE = re.compile(r"(?:^|[.:]\s+|\n\s*)Large because \w")


@cache
def trees() -> dict[str, ast.Module]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def functions() -> Iterator[tuple[str, int]]:
    """Each function's place, and its lines from `def` to its end; a stub of a Protocol counts as well."""
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{file}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield f"{file}:{node.lineno} {node.name}", node


def attributes(node: ast.ClassDef) -> set[str]:
    """The attributes that a class's methods set on `self`; the fields of a frozen record are none of them."""
    stored = (part for part in ast.walk(node) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store))
    return {part.attr for part in stored if isinstance(part.value, ast.Name) and part.value.id == "self"}


def is_large(node: ast.ClassDef) -> bool:
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    return len(methods) > MAX_METHODS or len(attributes(node)) > MAX_ATTRIBUTES


def test_functions_are_short() -> None:
    sizes = sorted(lines for _, lines in functions())
    assert len(sizes) > 1000
    assert statistics.median(sizes) <= 5
    assert statistics.quantiles(sizes, n=10)[-1] <= 15


def test_no_function_is_long() -> None:
    assert {place: lines for place, lines in functions() if lines > MAX_LINES} == {}


def test_a_large_class_says_why() -> None:
    assert [place for place, node in classes() if is_large(node) and not excused(node)] == []


def excused(node: ast.ClassDef) -> bool:
    return EXCUSE.search(ast.get_docstring(node) or "") is not None


def test_what_counts_as_a_large_class_and_as_its_reason() -> None:
    many = "\n".join(f"    def method_{number}(self): self.a_{number} = 1" for number in range(MAX_METHODS + 1))
    attribute = "        self.x.y = self.z[0] = other.w = 1"
    fields = "\n".join(f"    field_{number}: int" for number in range(MAX_ATTRIBUTES + 1))
    [large, small] = ast.parse(f"class A:\n{many}\nclass B:\n{fields}\n    def f(self):\n{attribute}\n").body
    assert isinstance(large, ast.ClassDef) and isinstance(small, ast.ClassDef)
    assert is_large(large) and not is_large(small) and attributes(small) == set()
    assert not excused(large)
    for docstring in ("One.\n\n    Large because it must.", "One. Large because it must.", "Large because it must."):
        [node] = ast.parse(f'class A:\n    """{docstring}"""\n').body
        assert isinstance(node, ast.ClassDef) and excused(node)


def test_no_class_name_is_used_twice() -> None:
    names = Counter(node.name for _, node in classes())
    assert [place for place, node in classes() if names[node.name] > 1] == []


def test_a_packages_init_holds_its_docstring_and_its_public_names_and_no_logic() -> None:
    inits = {file: tree for file, tree in trees().items() if file.endswith("/__init__.py")}
    allowed = (ast.Import, ast.ImportFrom, ast.Expr)
    logic = [
        f"{file}:{node.lineno}"
        for file, tree in inits.items()
        for node in tree.body
        if not isinstance(node, allowed) and not is_list_of_names(node)
    ]
    assert logic == []


def is_list_of_names(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]


def test_every_package_has_an_init_with_a_docstring() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    inits = {folder: folder / "__init__.py" for folder in folders}
    assert [str(init.relative_to(PACKAGE)) for init in inits.values() if not init.is_file()] == []
    named = {file: tree for file, tree in trees().items() if file.endswith("__init__.py")}
    assert [file for file, tree in named.items() if not ast.get_docstring(tree)] == []
