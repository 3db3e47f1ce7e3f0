"""What the cells of a submission define, and which cell defines or changes what another one has defined."""

from __future__ import annotations

import ast

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Definitions:
    """The functions and classes that cells define at their top level, with the last cell that did."""

    __slots__ = ("_changed", "_copied", "_defined_in", "_label", "_question", "_question_of")

    def __init__(self) -> None:
        self._defined_in: dict[str, str] = {}
        self._question_of: dict[str, str] = {}
        self._label = self._question = ""
        self._copied: list[str] = []
        self._changed: list[str] = []

    def begin(self, label: str, question: str) -> None:
        """Begins a cell, which belongs to a question or to none."""
        self._label, self._question = label, question
        self._copied, self._changed = [], []

    def note(self, tree: ast.Module) -> None:
        """Notes what a part of the cell defines again, and what of another question it changes."""
        names = [node.name for node in tree.body if isinstance(node, DEFINITIONS)]
        earlier = {name: self._defined_in[name] for name in names if name in self._defined_in}
        self._copied += [f"{name} (also in {label})" for name, label in earlier.items()]
        foreign = {name: found for name in _changed(tree) if (found := self._foreign(name)) and name not in names}
        self._changed += [f"{name} (of {question})" for name, question in foreign.items()]
        self._defined_in.update(dict.fromkeys(names, self._label))
        self._question_of.update(dict.fromkeys(names, self._question))

    @property
    def description(self) -> str:
        """What the cell defines again and changes, as text; empty if nothing."""
        copied = [f"defines {', '.join(self._copied)}; the last definition counts"] if self._copied else []
        changed = [f"changes {', '.join(self._changed)}"] if self._changed else []
        return "; ".join(copied + changed)

    def _foreign(self, name: str) -> str:
        """The question, if it is another one, whose cell defined a function or class of this name."""
        question = self._question_of.get(name, "")
        return question if self._question and question != self._question else ""


def _changed(tree: ast.Module) -> list[str]:
    """The names that a cell assigns anew, or whose attributes it assigns or deletes, anywhere in it."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)]
    names = (each for node in assigned for each in ast.walk(node) if isinstance(each, ast.Name))
    found = [each.id for each in names if isinstance(each.ctx, ast.Store)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            found.append(node.value.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
            found += [each.id for each in node.args[:1] if isinstance(each, ast.Name)]
    return list(dict.fromkeys(found))
