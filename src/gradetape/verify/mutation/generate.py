"""Makes the first-order mutants of a solution: each differs from it by one operator at one place."""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterator, Sequence

import libcst as cst
from libcst.metadata import CodePosition, CodeRange

from gradetape.course.source import syntax_error
from gradetape.verify.mutation import library
from gradetape.verify.mutation.field import FIELD
from gradetape.verify.mutation.general import GENERAL
from gradetape.verify.mutation.operators import Operator
from gradetape.verify.mutation.records import GeneratedMutant, LineChange, Solution
from gradetape.verify.mutation.tree import CellTree

# The operators of the field come first: of two that make the same mutant, the first one names it.
OPERATORS: tuple[Operator, ...] = (*FIELD, *GENERAL)
_NUMPY = "import numpy as np\n\n"


def generate(solution: Solution, operators: Sequence[Operator] = OPERATORS) -> Iterator[GeneratedMutant]:
    """Every mutant of a solution; those whose syntax tree equals the solution's or another mutant's are left out."""
    modules = _modules(solution)
    for index, cell in enumerate(solution.cells):
        if syntax_error(cell.text) is not None:
            continue  # a notebook's magics
        tree = CellTree(cell.text, modules)
        quiet = [tree.range(node) for node in tree.nodes if _says_nothing(tree, node)]
        seen = {ast.dump(ast.parse(cell.text))}
        for operator in operators:
            for place, text in _texts(tree, operator):
                if any(_within(place, each) for each in quiet):
                    continue
                text = _with_numpy(text, operator, modules)
                dump = _dump(text)
                if dump is not None and dump not in seen:
                    seen.add(dump)
                    yield _mutant(solution, index, operator, place, text, tree)


def _texts(tree: CellTree, operator: Operator) -> Iterator[tuple[CodePosition, str]]:
    """What an operator makes of a cell, with the place of each change."""
    if operator.change is None:
        for (line, column), text in library.mutated(tree.text, operator.library):
            yield CodePosition(line, column), text
        return
    for node in tree.nodes:
        for new in operator.change(tree, node):
            yield tree.range(node).start, tree.replaced(node, new)


def _within(place: CodePosition, span: CodeRange) -> bool:
    return _before(span.start, place) and not _before(span.end, place)


def _before(left: CodePosition, right: CodePosition) -> bool:
    return (left.line, left.column) <= (right.line, right.column)


def _says_nothing(tree: CellTree, node: cst.CSTNode) -> bool:
    """Whether a node has no effect that a check should see: an annotation, a docstring, the text of an exception."""
    parent = tree.parent(node)
    if isinstance(node, cst.Annotation):
        return True
    if isinstance(node, cst.Assign):  # such as __version__
        target = node.targets[0].target
        return isinstance(target, cst.Name) and target.value.startswith("__")
    if isinstance(node, cst.Arg):
        return isinstance(parent, cst.Call) and isinstance(tree.parent(parent), cst.Raise)
    return isinstance(node, cst.SimpleString | cst.ConcatenatedString) and isinstance(parent, cst.Expr)


def _modules(solution: Solution) -> frozenset[str]:
    """The names by which a solution knows imported modules and what it imported from them."""
    found: set[str] = set()
    for cell in solution.cells:
        for node in ast.walk(ast.parse("" if syntax_error(cell.text) else cell.text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return frozenset(found)


def _with_numpy(text: str, operator: Operator, modules: frozenset[str]) -> str:
    return _NUMPY + text if operator.name == "numpy" and "np" not in modules else text


def _dump(text: str) -> str | None:
    """A text's syntax tree, or None if it is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "<mutant>", "exec", dont_inherit=True)
            return ast.dump(ast.parse(text))
        except (SyntaxError, ValueError):
            return None


def _mutant(
    solution: Solution, index: int, operator: Operator, place: CodePosition, text: str, tree: CellTree
) -> GeneratedMutant:
    cell = solution.cells[index]
    cells = tuple(text if number == index else each.text for number, each in enumerate(solution.cells))
    return GeneratedMutant(
        question=solution.question, solution=solution.name, operator=operator.name, function=_function(tree, place),
        line=cell.line + place.line - 1, cells=cells, change=_change(cell.text, text),
    )  # fmt: skip


def _function(tree: CellTree, place: CodePosition) -> str:
    """The innermost function or class at a place."""
    names = [tree.qualified_name(node) for node in tree.definitions if _within(place, tree.range(node))]
    return names[-1] if names else ""


def _change(text: str, mutated: str) -> LineChange:
    """The lines that differ."""
    old, new = text.splitlines(), mutated.removeprefix(_NUMPY).splitlines()
    changed = [
        part for part in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if part[0] != "equal"
    ]
    first, last = changed[0], changed[-1]
    replace, by = old[first[1] : last[2]], new[first[3] : last[4]]
    if not replace:  # an insertion is shown with a line beside it
        before, after = old[first[1] - 1 : first[1]], old[first[1] : first[1] + 1]
        shown = after if after and after[0].strip() else before
        replace, by = shown, [*by, *shown] if shown is after else [*shown, *by]
    return LineChange(replace=_block(replace), by=_block(by))


def _block(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip("\n")
