"""The operators of Cosmic Ray, applied to a cell."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import cosmic_ray.ast
import cosmic_ray.mutating
from cosmic_ray.operators import (
    binary_operator_replacement,
    boolean_replacer,
    break_continue,
    comparison_operator_replacement,
    number_replacer,
    remove_decorator,
    unary_operator_replacement,
    zero_iteration_for_loop,
)

_MODULES = (
    binary_operator_replacement, boolean_replacer, break_continue, comparison_operator_replacement, number_replacer,
    remove_decorator, unary_operator_replacement, zero_iteration_for_loop,
)  # fmt: skip
Mutated = tuple[tuple[int, int], str]


def mutated(text: str, operators: tuple[str, ...]) -> Iterator[Mutated]:
    """Each text that one of the operators makes, with the line and column of the mutation."""
    tree = list(cosmic_ray.ast.ast_nodes(cosmic_ray.ast.get_ast(text)))
    for name in operators:
        operator = _operator(name)()
        places = [place for node in tree for place in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(places):
            found = cosmic_ray.mutating.mutate_code(text, operator, occurrence)
            if found is not None:
                yield start, found


@cache
def _operator(name: str) -> type:
    found: type = next(getattr(module, name) for module in _MODULES if hasattr(module, name))
    return found
