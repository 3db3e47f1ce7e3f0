"""Functions that a check sends to the worker.

Their text is compiled and dropped. Only TensorFlow's AutoGraph needs text, of the functions that such a function
defines: it finds that in `linecache` while the check lasts, and nothing else.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import numpy as np
import tensorflow as tf

from gradetape.wire.values import FunctionSource
from gradetape.worker.generation import keras


class ShippedFunctions:
    """The functions made of what a check has sent, each made once."""

    __slots__ = ("_made", "_shown")

    def __init__(self) -> None:
        self._made: dict[bytes, Callable[..., Any]] = {}
        self._shown: set[str] = set()

    def function(self, source: FunctionSource) -> Callable[..., Any]:
        """The function of a source."""
        digest = sha256("\0".join(source).encode("utf-8", "surrogatepass")).digest()
        if digest not in self._made:
            name = f"<check {source.name}>"
            tree = ast.parse(source.text, name)
            namespace: dict[str, Any] = {"__name__": name, "tf": tf, "keras": keras, "np": np}
            exec(compile(tree, name, "exec", dont_inherit=True), namespace)
            self._made[digest] = namespace[source.name]
            self._show(name, _traceable(tree, source.text.splitlines(keepends=True)))
        return self._made[digest]

    def begin_check(self) -> None:
        """Drops everything: a check uses no function of an earlier one."""
        for name in self._shown:
            linecache.cache.pop(name, None)
        self._shown.clear()
        self._made.clear()

    def _show(self, name: str, lines: list[str]) -> None:
        linecache.cache.pop(name, None)
        if any(map(str.strip, lines)):
            linecache.cache[name] = (sum(map(len, lines)), None, lines, name)
            self._shown.add(name)


def _traceable(tree: ast.Module, lines: list[str]) -> list[str]:
    """The lines of the functions that the one function in `tree` defines; all others are empty."""
    kept = {number for node in ast.walk(tree) if node not in tree.body for number in _lines_of(node)}
    return [line if number in kept else "\n" for number, line in enumerate(lines, 1)]


def _lines_of(node: ast.AST) -> range:
    """The lines of a function, from its first decorator on."""
    if not isinstance(node, ast.FunctionDef) or node.end_lineno is None:
        return range(0)
    return range(min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno + 1)
