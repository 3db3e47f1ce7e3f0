"""Submissions that must get (almost) no points, made from the reference.

The *raiser* raises in every function; *argument* returns its first argument; *zeros* passes the reference's results
through `zeros_like`. The *liar* replays the reference's replies from a run with another seed: the judge makes it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from importlib.resources import files

import msgspec

from gradetape.records import Cell

_KEPT_METHODS = frozenset({"__init__", "build", "get_config", "from_config"})
Body = Callable[[ast.FunctionDef, bool], list[ast.stmt]]


def raiser(reference: Sequence[Cell]) -> tuple[Cell, ...]:
    """The reference with every function raising."""
    return _rewritten(reference, lambda function, is_method: ast.parse("raise NotImplementedError").body)


def argument(reference: Sequence[Cell]) -> tuple[Cell, ...]:
    """The reference with every function returning its first argument; methods that create objects are kept."""
    return _rewritten(reference, _first_argument)


def zeros(reference: Sequence[Cell]) -> tuple[Cell, ...]:
    """The reference with its results replaced by zeros of the same shape and dtype."""
    cell = files("gradetape.verify").joinpath("zeros.py").read_text(encoding="utf-8")
    return (*reference, Cell(source=cell))


def _rewritten(cells: Sequence[Cell], body: Body) -> tuple[Cell, ...]:
    return tuple(msgspec.structs.replace(cell, source=_rewritten_text(cell.source, body)) for cell in cells)


def _rewritten_text(source: str, body: Body) -> str:
    tree = ast.parse(source)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            statement.body = body(statement, False)
        if isinstance(statement, ast.ClassDef):
            for part in statement.body:
                if isinstance(part, ast.FunctionDef):
                    part.body = body(part, True)
    return ast.unparse(tree)


def _first_argument(function: ast.FunctionDef, is_method: bool) -> list[ast.stmt]:
    if is_method and function.name in _KEPT_METHODS:
        return function.body
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)][int(is_method) :]
    return ast.parse(f"return {names[0] if names else None}").body
