"""Questions about nodes that several operators ask."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst


def name_of(node: cst.CSTNode) -> str:
    """The last name of a name, an attribute or a call: `cast` for `tf.cast(x)`; empty for anything else."""
    match node:
        case cst.Name(value=value) | cst.Attribute(attr=cst.Name(value=value)):
            return value
        case cst.Call(func=func):
            return name_of(func)
    return ""


def root_of(node: cst.CSTNode) -> str:
    """The first name of a dotted name: `tf` for `tf.math.log`, `super` for `super().build`; empty for anything else."""
    match node:
        case cst.Name(value=value):
            return value
        case cst.Attribute(value=value) | cst.Call(func=cst.Name(value="super") as value):
            return root_of(value)
    return ""


def statement(node: cst.CSTNode) -> cst.BaseSmallStatement | None:
    """The only statement of a line, or None."""
    if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1:
        return node.body[0]
    return None


def is_docstring(node: cst.CSTNode) -> bool:
    """Whether a line holds nothing but a string."""
    found = statement(node)
    return isinstance(found, cst.Expr) and isinstance(found.value, cst.SimpleString | cst.ConcatenatedString)


def positional(call: cst.Call) -> list[int]:
    """The indices of a call's positional arguments, without those with a star."""
    return [index for index, arg in enumerate(call.args) if arg.keyword is None and not arg.star]


def with_arguments(call: cst.Call, args: list[cst.Arg]) -> cst.Call:
    """The call with other arguments, in the usual spacing."""
    return call.with_changes(args=[_followed(arg, last=arg is args[-1]) for arg in args])


def without(call: cst.Call, index: int) -> cst.Call:
    """The call without one of its arguments."""
    return with_arguments(call, [arg for number, arg in enumerate(call.args) if number != index])


def without_keyword(call: cst.Call, name: str) -> Iterator[cst.Call]:
    """The call without its keyword argument of a name, if it has one."""
    for index, arg in enumerate(call.args):
        if arg.keyword is not None and arg.keyword.value == name:
            yield without(call, index)


def without_entry(node: cst.Dict) -> Iterator[cst.Dict]:
    """The dictionary without one of its entries, for each of them."""
    for index in range(len(node.elements)):
        left = [each for number, each in enumerate(node.elements) if number != index]
        if left:
            left[-1] = left[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        yield node.with_changes(elements=left)


def renamed(node: cst.Name | cst.Attribute, name: str) -> cst.CSTNode:
    """A name or an attribute with another last name."""
    return cst.Name(name) if isinstance(node, cst.Name) else node.with_changes(attr=cst.Name(name))


def is_self(node: cst.CSTNode) -> bool:
    """Whether a node is an attribute of `self`."""
    return isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self"


def names_in(node: cst.CSTNode) -> set[str]:
    """Every name in a node; names of attributes and of keyword arguments too."""
    found = {node.value} if isinstance(node, cst.Name) else set()
    return found.union(*(names_in(child) for child in node.children))


def body_of(node: cst.FunctionDef | cst.ClassDef) -> list[cst.CSTNode]:
    """The statements of a function or a class, without its docstring."""
    return [each for each in node.body.body if not is_docstring(each)]


def _followed(arg: cst.Arg, *, last: bool) -> cst.Arg:
    comma: cst.Comma | cst.MaybeSentinel = cst.MaybeSentinel.DEFAULT
    if not last:
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return arg.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))
