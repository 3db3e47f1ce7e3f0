"""Operators for any Python code; those of Cosmic Ray are named by their classes."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from gradetape.verify.mutation import nodes
from gradetape.verify.mutation.operators import Operator
from gradetape.verify.mutation.tree import CellTree, Replacement

_EVEN = ("abs", "absolute", "square")  # f(a - b) is f(b - a)
_SYMMETRIC = (
    "add", "equal", "intersection", "logaddexp", "logical_and", "logical_or", "maximum", "minimum", "multiply",
    "not_equal", "squared_difference", "union",
)  # fmt: skip
_LABELLED = ("add_weight", "Variable")  # whose names nothing looks up
_CONVERSIONS = ("asarray", "constant", "convert_to_tensor", "stack")
_PASS = cst.SimpleStatementLine([cst.Pass()])
_TRUE, _FALSE = cst.Name("True"), cst.Name("False")
_DELETED = (cst.Expr, cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Raise, cst.Assert, cst.Del, cst.Break, cst.Continue)
_ORDERED = (cst.Subtract, cst.Divide, cst.MatrixMultiply, cst.Power, cst.FloorDivide, cst.Modulo)


def delete_statement(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A statement is deleted."""
    found = nodes.statement(node)
    if isinstance(found, _DELETED) and not nodes.is_docstring(node):
        yield _PASS
    if isinstance(node, cst.If | cst.For | cst.While) and not isinstance(tree.parent(node), cst.If):
        yield "pass"


def delete_method(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A method is deleted, so that the base class's is used."""
    if isinstance(node, cst.FunctionDef) and any(isinstance(each, cst.ClassDef) for each in tree.ancestors(node)):
        yield "pass"


def return_value(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A function returns None."""
    if isinstance(node, cst.Return) and node.value is not None:
        yield cst.Return(cst.Name("None"))


def delete_argument(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """An argument is deleted."""
    if not isinstance(node, cst.Call) or isinstance(tree.parent(node), cst.Raise):
        return
    last = nodes.positional(node)[-1:] if len(nodes.positional(node)) > 1 else []
    for index, arg in enumerate(node.args):
        label = nodes.name_of(node) in _LABELLED and arg.keyword is not None and arg.keyword.value == "name"
        if (arg.keyword is not None and not label) or arg.star or index in last:
            yield nodes.without(node, index)


def swap_arguments(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """Two arguments are swapped."""
    raised = isinstance(tree.parent(node), cst.Raise)
    if isinstance(node, cst.Call) and nodes.name_of(node) not in _SYMMETRIC and not (raised or _is_even(tree, node)):
        for index in nodes.positional(node)[:-1]:
            args = list(node.args)
            if args[index + 1].keyword is None and not args[index + 1].star:
                args[index : index + 2] = reversed(args[index : index + 2])
                yield nodes.with_arguments(node, args)


def swap_operands(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """The operands of an operator are swapped."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, _ORDERED) and not _is_even(tree, node):
        left, right = (
            each if isinstance(each, cst.Name | cst.Call | cst.Attribute | cst.Subscript | cst.Integer | cst.Float)
            else each.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            for each in (node.left, node.right)
        )  # fmt: skip
        yield node.with_changes(left=right, right=left)


def _is_even(tree: CellTree, node: cst.CSTNode) -> bool:
    """Whether a node is a difference, and the argument of a function to which its sign does not matter."""
    outer = list(tree.ancestors(node))[1:2]
    difference = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Subtract)
    even = any(isinstance(each, cst.Call) and nodes.name_of(each) in _EVEN for each in outer)
    return even and (difference or nodes.name_of(node) == "subtract")


def unwrap_call(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A call is replaced by its argument, or a method call by its object."""
    if not isinstance(node, cst.Call) or not nodes.name_of(node)[:1].islower():
        return
    parent = tree.parent(node)
    if isinstance(parent, cst.Expr) or nodes.name_of(node) == "super":
        return
    if nodes.name_of(node) in _CONVERSIONS and isinstance(parent, cst.Arg | cst.BinaryOperation):
        return  # the function or the operator converts its arguments itself
    if first := nodes.positional(node)[:1]:
        yield node.args[first[0]].value
    if isinstance(node.func, cst.Attribute) and nodes.root_of(node.func) not in tree.modules | {"super"}:
        yield node.func.value


def drop_default(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """An argument has no default value any more."""
    if not isinstance(node, cst.Parameters):
        return
    if node.params and node.params[-1].default is not None:
        required = node.params[-1].with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT)
        if len(node.params) == 1 or node.params[-2].default is None:
            yield node.with_changes(params=[*node.params[:-1], required])
    for index, param in enumerate(node.kwonly_params):
        if param.default is not None:
            required = param.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT)
            yield node.with_changes(
                kwonly_params=[*node.kwonly_params[:index], required, *node.kwonly_params[index + 1 :]]
            )


def condition(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A condition is always true, or always false."""
    parent = tree.parent(node)
    if isinstance(parent, cst.If | cst.IfExp) and parent.test is node:
        yield from (_TRUE, _FALSE)
    if isinstance(parent, cst.While) and parent.test is node:
        yield _FALSE
    if isinstance(node, cst.CompFor):
        for index in range(len(node.ifs)):
            yield node.with_changes(ifs=[each for number, each in enumerate(node.ifs) if number != index])


def string(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A string is another one."""
    parent = tree.parent(node)
    named = isinstance(parent, cst.Arg) and parent.keyword is not None and parent.keyword.value == "name"
    named = named or (isinstance(parent, cst.Param) and parent.name.value == "name")
    if isinstance(node, cst.SimpleString) and not isinstance(parent, cst.Expr | cst.ConcatenatedString) and not named:
        quote = node.quote
        yield node.with_changes(value=f"{node.value[: -len(quote)]}_{quote}")


def drop_element(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """An element of a list, tuple or set is dropped."""
    parent = tree.parent(node)
    given = isinstance(node, cst.Tuple) and isinstance(parent, cst.Arg | cst.Return)
    listed = isinstance(node, cst.List | cst.Set) and not isinstance(parent, cst.AssignTarget)
    if not isinstance(node, cst.List | cst.Tuple | cst.Set) or not (given or listed) or len(node.elements) < 2:
        return
    for index in range(len(node.elements)):
        left = [each for number, each in enumerate(node.elements) if number != index]
        last = cst.Comma() if isinstance(node, cst.Tuple) and len(left) == 1 else cst.MaybeSentinel.DEFAULT
        yield node.with_changes(elements=[*left[:-1], left[-1].with_changes(comma=last)])


def drop_entry(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """An entry of a dictionary is dropped."""
    if isinstance(node, cst.Dict):
        yield from nodes.without_entry(node)


def augmented(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """An augmented assignment does something else: `+=` becomes `-=` or `=`."""
    if isinstance(node, cst.AugAssign):
        other = cst.SubtractAssign() if isinstance(node.operator, cst.AddAssign) else cst.AddAssign()
        yield node.with_changes(operator=other)
        yield cst.Assign([cst.AssignTarget(node.target)], node.value)


def subscript(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A subscript, or one bound of a slice, is dropped."""
    parent = tree.parent(node)
    if isinstance(node, cst.Subscript) and not isinstance(parent, cst.AssignTarget | cst.AugAssign | cst.Del):
        yield node.value
    if isinstance(node, cst.Slice):
        for bound in ("lower", "upper"):
            if getattr(node, bound) is not None:
                yield node.with_changes(**{bound: None})


def one_pass(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A loop ends after its first pass."""
    if isinstance(node, cst.For | cst.While) and isinstance(node.body, cst.IndentedBlock):
        stop = cst.SimpleStatementLine([cst.Break()])
        yield node.with_changes(body=node.body.with_changes(body=[*node.body.body, stop]), leading_lines=())


def exception(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """Another exception is raised or caught."""
    parent = tree.parent(node)
    if isinstance(parent, cst.Raise) and parent.exc is node:
        other = cst.Name("TypeError" if nodes.name_of(node) != "TypeError" else "ValueError")
        yield node.with_changes(func=other) if isinstance(node, cst.Call) else other
    if isinstance(parent, cst.ExceptHandler) and parent.type is node:
        yield cst.Name("BufferError")


def both_ways(names: str, prefix: str) -> tuple[str, ...]:
    """The classes of Cosmic Ray for pairs such as `Lt_LtE`, in both directions."""
    pairs = [pair.split("_") for pair in names.split()]
    return tuple(f"{prefix}_{left}_{right}" for pair in pairs for left, right in (pair, pair[::-1]))


_COMPARISON, _BINARY, _UNARY = "ReplaceComparisonOperator", "ReplaceBinaryOperator", "ReplaceUnaryOperator"

GENERAL = (
    Operator(
        "boundary", "A comparison includes its boundary, or no longer does: `<` for `<=`.",
        library=both_ways("Lt_LtE Gt_GtE", _COMPARISON),
    ),
    Operator(
        "comparison", "A comparison is replaced by another one.",
        library=both_ways("Lt_GtE LtE_Gt Lt_Gt LtE_GtE Eq_NotEq Eq_LtE Eq_GtE NotEq_Lt NotEq_Gt Is_IsNot", _COMPARISON),
    ),
    Operator(
        "arithmetic", "An arithmetic operator is replaced by another one.",
        library=both_ways(
            "Add_Sub Add_Mul Sub_Mul Mul_Div Div_FloorDiv Mod_FloorDiv Pow_Mul BitAnd_BitOr BitOr_BitXor LShift_RShift",
            _BINARY,
        ),
    ),
    Operator(
        "boolean", "`True` and `False`, or `and` and `or`, are exchanged, or a condition is negated.",
        library=("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd", "AddNot"),
    ),
    Operator(
        "unary", "A sign, `~` or `not` is dropped.",
        library=(f"{_UNARY}_Delete_USub", f"{_UNARY}_Delete_Invert", f"{_UNARY}_Delete_Not"),
    ),
    Operator("number", "A number is larger or smaller by one.", library=("NumberReplacer",)),
    Operator("decorator", "A decorator is dropped, such as `@tf.function`.", library=("RemoveDecorator",)),
    Operator(
        "loop", "A loop never runs, or `break` and `continue` are exchanged.",
        library=("ZeroIterationForLoop", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    ),
    Operator.made_by(one_pass),
    Operator.made_by(delete_statement, "statement"),
    Operator.made_by(delete_method, "method"),
    Operator.made_by(return_value, "return"),
    Operator.made_by(delete_argument, "argument"),
    Operator.made_by(swap_arguments, "argument-order"),
    Operator.made_by(swap_operands, "operand-order"),
    Operator.made_by(unwrap_call, "call"),
    Operator.made_by(drop_default, "default"),
    Operator.made_by(condition),
    Operator.made_by(string),
    Operator.made_by(drop_element, "element"),
    Operator.made_by(drop_entry, "entry"),
    Operator.made_by(augmented),
    Operator.made_by(subscript),
    Operator.made_by(exception),
)  # fmt: skip
