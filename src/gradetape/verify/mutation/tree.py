"""The syntax tree of one cell, and the texts that result when a node is replaced."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import cached_property

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

Replacement = cst.CSTNode | str
_BINDS = (cst.BinaryOperation, cst.UnaryOperation, cst.Comparison, cst.BooleanOperation, cst.Attribute, cst.Subscript)
_LOOSE = (
    cst.BinaryOperation, cst.UnaryOperation, cst.Comparison, cst.BooleanOperation, cst.IfExp, cst.Lambda, cst.Tuple,
)  # fmt: skip
_TRIVIA = (
    cst.BaseParenthesizableWhitespace,
    cst.TrailingWhitespace,
    cst.EmptyLine,
    cst.Comma,
    cst.Dot,
    cst.AssignEqual,
)
_PLAIN = cst.Module(body=[])


class CellTree:
    """A cell's text with its tree; `modules` are the names by which the solution knows imported modules.

    Positions are lines, counted from 1, and columns, counted from 0. Large because a node's parents and its position
    are known to the tree, not to the node.
    """

    def __init__(self, text: str, modules: frozenset[str]) -> None:
        self.text = text
        self.modules = modules
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        self.module = wrapper.module
        self._ranges = wrapper.resolve(PositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)
        self._line_starts = [0]
        for line in text.split("\n"):
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)

    @cached_property
    def nodes(self) -> tuple[cst.CSTNode, ...]:
        """Every node, a parent before its children; without blanks, comments and punctuation."""
        found: list[cst.CSTNode] = []
        waiting: list[cst.CSTNode] = [self.module]
        while waiting:
            node = waiting.pop()
            found.append(node)
            waiting += (each for each in reversed(node.children) if not isinstance(each, _TRIVIA))
        return tuple(found)

    @cached_property
    def definitions(self) -> tuple[cst.CSTNode, ...]:
        """The classes and functions, from the outside in."""
        return tuple(node for node in self.nodes if isinstance(node, cst.ClassDef | cst.FunctionDef))

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node that contains a node, or None for the module."""
        return self._parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes that contain a node, from the inside out."""
        parent = self.parent(node)
        while parent is not None:
            yield parent
            parent = self.parent(parent)

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The innermost function that contains a node."""
        return next((each for each in self.ancestors(node) if isinstance(each, cst.FunctionDef)), None)

    def qualified_name(self, node: cst.CSTNode) -> str:
        """The names of the classes and functions that a node is in, such as `Metric.reset_state`; empty outside."""
        within = [each for each in (node, *self.ancestors(node)) if isinstance(each, cst.ClassDef | cst.FunctionDef)]
        return ".".join(each.name.value for each in reversed(within))

    def range(self, node: cst.CSTNode) -> CodeRange:
        """The position of a node, without the blanks and comments around it."""
        found = self._ranges[node]
        if isinstance(node, cst.FunctionDef | cst.ClassDef) and node.decorators:
            return CodeRange(self._ranges[node.decorators[0]].start, found.end)
        return found

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node, as it is in the cell."""
        start, end = self._offsets(node)
        return self.text[start:end]

    def replaced(self, node: cst.CSTNode, new: Replacement) -> str:
        """The cell's text with a node replaced."""
        start, end = self._offsets(node)
        text = new if isinstance(new, str) else self._rendered(node, new)
        margin = " " * self.range(node).start.column
        return self.text[:start] + textwrap.indent(text, margin).removeprefix(margin) + self.text[end:]

    def _rendered(self, node: cst.CSTNode, new: cst.CSTNode) -> str:
        text = _PLAIN.code_for_node(new).strip()
        binds = isinstance(self.parent(node), _BINDS) or self._is_called(node)
        bare = isinstance(new, _LOOSE) and not new.lpar
        return f"({text})" if binds and bare else text

    def _is_called(self, node: cst.CSTNode) -> bool:
        parent = self.parent(node)
        return isinstance(parent, cst.Call) and parent.func is node

    def _offsets(self, node: cst.CSTNode) -> tuple[int, int]:
        place = self.range(node)
        starts = self._line_starts
        return starts[place.start.line - 1] + place.start.column, starts[place.end.line - 1] + place.end.column
