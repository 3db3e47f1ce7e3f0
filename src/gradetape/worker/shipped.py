"""Functions that a check sends to the worker.

Their text is compiled and dropped. Only TensorFlow's AutoGraph needs text, of the functions that such a function
defines: it finds that in `linecache` while the check lasts, and nothing else.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import numpy as np
import tensorflow as tf

from gradetape.wire.values import FunctionSource
from gradetape.worker.generation import keras


class ShippedFunctions:
    """The functions made of what a check has sent, each made once."""

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
    """The lines of what the one function in `tree` defines, for AutoGraph; all others are empty."""
    kept = {number for first, last in _inner(tree) for number in range(first, last + 1)}
    return [line if number in kept else "\n" for number, line in enumerate(lines, 1)]


def _inner(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """The first and the last line of each inner function, and of each simple statement with a lambda in it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or node in tree.body:
            continue
        simple = not hasattr(node, "body")
        if isinstance(node, ast.FunctionDef) or (
            simple and any(isinstance(part, ast.Lambda) for part in ast.walk(node))
        ):
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
            yield first, node.end_lineno or node.lineno
