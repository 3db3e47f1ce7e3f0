"""A mutation operator: a kind of mistake, and the texts that it makes from a cell."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import libcst as cst

from gradetape.verify.mutation.tree import CellTree, Replacement


class FindReplacements(Protocol):
    """Gives what a node may be replaced by."""

    __name__: str

    def __call__(self, tree: CellTree, node: cst.CSTNode, /) -> Iterator[Replacement]:
        """The replacements; the tree is the cell's."""


@dataclass(frozen=True)
class Operator:
    """A kind of mistake that generated mutants make.

    `change` gives what a node may be replaced by; `library` names the operators of Cosmic Ray that make it instead.
    """

    name: str
    description: str
    change: FindReplacements | None = None
    library: tuple[str, ...] = ()

    @classmethod
    def made_by(cls, change: FindReplacements, name: str = "") -> Operator:
        """The operator of a function: its docstring is the description, its own name the name unless one is given."""
        return cls(name or change.__name__.replace("_", "-"), inspect.getdoc(change) or "", change)
