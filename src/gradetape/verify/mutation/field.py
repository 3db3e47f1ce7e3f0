"""Operators for TensorFlow and Keras: the mistakes of people who know Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from gradetape.verify.mutation import nodes
from gradetape.verify.mutation.operators import Operator
from gradetape.verify.mutation.tree import CellTree, Replacement

_PASS = cst.SimpleStatementLine([cst.Pass()])
_AXES = ("0", "-1", "1", "None")
_DTYPES: Mapping[str, tuple[str, ...]] = {
    "float16": ("float32",), "bfloat16": ("float32",), "float32": ("float64", "float16", "int32"),
    "float64": ("float32",), "int32": ("int64", "float32"), "int64": ("int32", "float64"), "uint8": ("int32",),
    "bool": ("int32",),
}  # fmt: skip
_REDUCTIONS = (
    "reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_all", "reduce_any", "sum", "mean", "max", "min",
)  # fmt: skip
_PAIRS = (
    "reduce_max reduce_min", "maximum minimum", "max min", "argmax argmin", "reduce_any reduce_all", "any all",
    "ones zeros", "ones_like zeros_like", "floor ceil", "union intersection", "reset_state result", "assign_add assign",
    "assign_add assign_sub", "trainable_variables variables", "trainable_weights weights", "shuffle repeat",
)  # fmt: skip
_OTHERS = {
    "normal": ("truncated_normal", "uniform"), "uniform": ("normal",), "divide_no_nan": ("divide",),
    "square": ("abs",), "abs": ("square",), "log": ("log1p",), "log1p": ("log",), "exp": ("expm1",),
    "expm1": ("exp",), "round": ("floor",), "is_nan": ("is_inf",), "is_finite": ("is_inf",), "relu": ("elu",),
    "softplus": ("relu",), "sigmoid": ("tanh",), "tanh": ("sigmoid",), "reduce_prod": ("reduce_sum",),
    "reduce_std": ("reduce_variance",), "std": ("var",), "lower": ("upper",), "add_loss": ("add_metric",),
    "get_concrete_function": ("experimental_get_compiler_ir",), "multi_hot": ("one_hot",), "split": ("partition",),
    "difference": ("intersection",), "cumsum": ("cumprod",), "strip": ("lstrip",), "sort": ("argsort",),
}  # fmt: skip
_SUMS = {"reduce_sum": "reduce_mean", "reduce_mean": "reduce_sum", "sum": "mean", "mean": "sum"}
_NUMPY = {
    **{name: name for name in (
        "abs", "argmax", "argmin", "cumsum", "exp", "expand_dims", "eye", "floor", "log", "maximum", "minimum", "ones",
        "ones_like", "reshape", "round", "shape", "sign", "sqrt", "square", "squeeze", "stack", "tensordot", "tile",
        "transpose", "where", "zeros", "zeros_like", "matmul", "tanh", "is_nan", "logical_and", "logical_or", "size",
    )},
    "reduce_sum": "sum", "reduce_mean": "mean", "reduce_max": "max", "reduce_min": "min", "reduce_all": "all",
    "reduce_any": "any", "reduce_prod": "prod", "range": "arange", "constant": "array", "convert_to_tensor": "asarray",
    "concat": "concatenate",
}  # fmt: skip
_DATASETS = ("dataset", "batches", "data", "ds")


def axis(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """`axis=` names another axis, or none."""
    match node:
        case cst.Arg(keyword=cst.Name(value="axis"), value=value):
            given = tree.code(value)
            yield from (node.with_changes(value=cst.parse_expression(other)) for other in _AXES if other != given)


def keepdims(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A reduction keeps its axis, or no longer does."""
    if not isinstance(node, cst.Call):
        return
    for index, arg in enumerate(node.args):
        if arg.keyword is not None and arg.keyword.value in ("keepdims", "keep_dims"):
            yield nodes.without(node, index)
            return
    if nodes.name_of(node) in _REDUCTIONS and isinstance(node.func, cst.Attribute):
        equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        kept = cst.Arg(cst.Name("True"), keyword=cst.Name("keepdims"), equal=equal)
        yield nodes.with_arguments(node, [*node.args, kept])


def dtype(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A dtype is another one."""
    match node:
        case cst.Attribute(value=cst.Name(), attr=cst.Name(value=name)) if name in _DTYPES:
            yield from (nodes.renamed(node, other) for other in _DTYPES[name])
        case cst.Attribute(attr=cst.Name(value="dtype")) if "tf" in tree.modules:
            yield cst.parse_expression("tf.float32")
        case cst.SimpleString(raw_value=name) if name in _DTYPES:
            yield from (node.with_changes(value=f"{node.quote}{other}{node.quote}") for other in _DTYPES[name])


def training(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """`training=` is dropped or fixed."""
    match node:
        case cst.Call():
            yield from nodes.without_keyword(node, "training")
        case cst.Arg(keyword=cst.Name(value="training"), value=value):
            given = tree.code(value)
            yield from (node.with_changes(value=cst.Name(other)) for other in ("True", "False") if other != given)


def sample_weight(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """`sample_weight` is ignored."""
    match node, tree.parent(node):
        case cst.Name(value="sample_weight"), cst.Param() | cst.AssignTarget():
            return
        case cst.Name(value="sample_weight"), cst.Arg(keyword=keyword) if keyword is node:
            return
        case cst.Name(value="sample_weight"), _:
            yield cst.Name("None")


def super_call(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A call of `super()`'s method is deleted."""
    match nodes.statement(node):
        case cst.Expr(value=cst.Call(func=cst.Attribute(value=cst.Call(func=cst.Name(value="super"))))):
            yield _PASS


def config_entry(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """An entry of `get_config` is dropped."""
    within = tree.function(node)
    if isinstance(node, cst.Dict) and within is not None and within.name.value == "get_config":
        yield from nodes.without_entry(node)


def reset(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A reset is deleted."""
    if isinstance(node, cst.FunctionDef) and node.name.value.startswith("reset"):
        yield "pass"
    match nodes.statement(node):
        case cst.Expr(value=cst.Call() as call):
            within = tree.function(node)
            resets = within is not None and within.name.value.startswith("reset")
            if nodes.name_of(call).startswith("reset") or (resets and nodes.name_of(call) == "assign"):
                yield _PASS


def class_state(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """An attribute of the object belongs to the class, so that all objects share it."""
    assigned = any(isinstance(each, cst.AssignTarget) for each in tree.ancestors(node))
    held = isinstance(tree.parent(node), cst.AssignTarget | cst.Element)
    if isinstance(node, cst.Attribute) and nodes.is_self(node) and assigned and held:
        yield node.with_changes(value=cst.parse_expression("type(self)"))


def closure_state(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A closure's state is made once for all closures."""
    within = tree.function(node)
    match nodes.statement(node):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value) if within is not None:
            outermost = tree.parent(within) is tree.module
            if outermost and any(isinstance(each, cst.FunctionDef) for each in nodes.body_of(within)):
                yield f'{name} = vars({within.name.value}).setdefault("{name}", {tree.code(value)})'


def new_variable(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """What is made once is made in every call."""
    if not isinstance(node, cst.FunctionDef) or not nodes.body_of(node):
        return
    for made in (*_made_around(tree, node), *_made_by_object(tree, node)):
        inner = [nodes.body_of(node)[0]]
        body = [each for each in node.body.body]
        position = next(index for index, each in enumerate(body) if each is inner[0])
        block = node.body.with_changes(body=[*body[:position], made.with_changes(leading_lines=()), *body[position:]])
        yield node.with_changes(body=block, leading_lines=())


def _made_around(tree: CellTree, node: cst.FunctionDef) -> Iterator[cst.SimpleStatementLine]:
    outer = tree.function(node)
    for each in nodes.body_of(outer) if outer is not None else ():
        match nodes.statement(each):
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name())], value=cst.Call()):
                assert isinstance(each, cst.SimpleStatementLine)
                yield each


def _made_by_object(tree: CellTree, node: cst.FunctionDef) -> Iterator[cst.SimpleStatementLine]:
    owner = next((each for each in tree.ancestors(node) if isinstance(each, cst.ClassDef | cst.FunctionDef)), None)
    if not isinstance(owner, cst.ClassDef) or node.name.value in ("__init__", "build", "get_config", "from_config"):
        return
    for method in owner.body.body:
        if isinstance(method, cst.FunctionDef) and method.name.value in ("__init__", "build"):
            given = {each.name.value for each in method.params.params} - {"self"}
            for each in nodes.body_of(method):
                match nodes.statement(each):
                    case cst.Assign(targets=[cst.AssignTarget(target=target)], value=cst.Call() as value):
                        if nodes.is_self(target) and not nodes.names_in(value) & given:
                            assert isinstance(each, cst.SimpleStatementLine)
                            yield each


def sum_or_mean(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A sum becomes a mean, or a mean a sum."""
    if isinstance(node, cst.Attribute) and node.attr.value in _SUMS:
        yield nodes.renamed(node, _SUMS[node.attr.value])
    if isinstance(node, cst.Name) and node.value == "sum" and isinstance(tree.parent(node), cst.Call):
        yield "max"


def relative(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A function is replaced by a similar one: `maximum` by `minimum`, `normal` by `uniform`."""
    called = isinstance(node, cst.Name) and isinstance(tree.parent(node), cst.Call)
    if isinstance(node, cst.Attribute) or called:
        assert isinstance(node, cst.Name | cst.Attribute)
        name = nodes.name_of(node)
        for pair in map(str.split, _PAIRS):
            if name in pair:
                yield nodes.renamed(node, pair[1 - pair.index(name)])
        yield from (nodes.renamed(node, other) for other in _OTHERS.get(name, ()))


def where(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """The branches of `where` are swapped."""
    if isinstance(node, cst.Call) and nodes.name_of(node) == "where" and len(nodes.positional(node)) == 3:
        yield nodes.with_arguments(node, [node.args[0], node.args[2], node.args[1]])


def numpy_function(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A function of TensorFlow is replaced by NumPy's."""
    called = isinstance(tree.parent(node), cst.Call)
    if isinstance(node, cst.Attribute) and nodes.root_of(node) == "tf" and node.attr.value in _NUMPY and called:
        yield cst.parse_expression(f"np.{_NUMPY[node.attr.value]}")


def seed(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A seed is dropped or fixed."""
    match node:
        case cst.Call():
            yield from nodes.without_keyword(node, "seed")
        case cst.Arg(keyword=cst.Name(value="seed")) | cst.Arg(value=cst.Name(value="seed")):
            yield node.with_changes(value=cst.Integer("42"))


def buffer(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A dataset is shuffled with a buffer of two elements."""
    if isinstance(node, cst.Call) and nodes.name_of(node) == "shuffle" and node.args:
        yield nodes.with_arguments(node, [node.args[0].with_changes(value=cst.Integer("2")), *node.args[1:]])


def python_range(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """`tf.range` becomes `range`."""
    if isinstance(node, cst.Attribute) and tree.code(node) == "tf.range":
        yield cst.Name("range")


def squeeze(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """Axes of length one are removed from the result."""
    if _is_result(tree, node) and "tf" in tree.modules:
        yield cst.parse_expression(f"tf.squeeze({tree.code(node)})")


def numpy_method(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """The result is converted by `.numpy()`."""
    if _is_result(tree, node) and nodes.name_of(node) != "numpy":
        text = tree.code(node)
        plain = isinstance(node, cst.Name | cst.Call | cst.Attribute | cst.Subscript)
        yield cst.parse_expression(f"{text}.numpy()" if plain else f"({text}).numpy()")


def _is_result(tree: CellTree, node: cst.CSTNode) -> bool:
    """Whether a function returns a node that may be a tensor."""
    within = tree.function(node)
    config = within is not None and within.name.value == "get_config"
    tensor = isinstance(node, cst.Name | cst.Call | cst.Attribute | cst.Subscript | cst.BinaryOperation | cst.IfExp)
    inner = within is not None and nodes.name_of(node) in _functions_in(within)
    constant = nodes.name_of(node) in ("None", "True", "False", "self")
    return isinstance(tree.parent(node), cst.Return) and tensor and not (config or constant or inner)


def _functions_in(node: cst.FunctionDef) -> set[str]:
    return {each.name.value for each in nodes.body_of(node) if isinstance(each, cst.FunctionDef)}


def transposition(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """`reshape` replaces `transpose`, or the two parts of a subscript are swapped."""
    if isinstance(node, cst.Call) and nodes.name_of(node) == "transpose" and nodes.positional(node):
        x = tree.code(node.args[0].value)
        yield cst.parse_expression(f"tf.reshape({x}, tf.shape({x})[::-1])")
    if isinstance(node, cst.Subscript) and len(node.slice) == 2:
        yield node.with_changes(
            slice=[
                node.slice[1].with_changes(comma=node.slice[0].comma),
                node.slice[0].with_changes(comma=node.slice[1].comma),
            ]
        )


def listed(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A dataset is read into a list."""
    parent = tree.parent(node)
    looped = isinstance(parent, cst.For | cst.CompFor) and parent.iter is node
    if looped and isinstance(node, cst.Name) and node.value in _DATASETS:
        yield cst.parse_expression(f"list({node.value})")


def static_shape(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """`tf.shape` and the static shape are exchanged."""
    match node:
        case cst.Call(args=[cst.Arg(value=cst.Name(value=name))]) if tree.code(node.func) == "tf.shape":
            yield cst.parse_expression(f"{name}.shape")
        case cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="shape")):
            if "tf" in tree.modules and name not in tree.modules:
                yield cst.parse_expression(f"tf.shape({name})")


def epsilon(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A small number is added to a denominator."""
    match node:
        case cst.BinaryOperation(operator=cst.Divide(), left=left, right=right):
            numerator = f"({tree.code(left)})" if left.lpar else tree.code(left)
            yield cst.parse_expression(f"{numerator} / ({tree.code(right)} + 1e-3)")
        case cst.Call(args=[left, right]) if nodes.name_of(node) == "divide_no_nan":
            yield cst.parse_expression(f"({tree.code(left.value)}) / ({tree.code(right.value)} + 1e-3)")


def global_seed(tree: CellTree, node: cst.CSTNode) -> Iterator[Replacement]:
    """A function with random numbers sets the global seed."""
    if not isinstance(node, cst.FunctionDef) or "tf" not in tree.modules or not nodes.body_of(node):
        return
    if nodes.names_in(node) & {"seed", "random", "Generator", "normal", "uniform", "shuffle", "dropout"}:
        statement = cst.parse_statement("tf.random.set_seed(0)")
        body = list(node.body.body)
        position = next(index for index, each in enumerate(body) if each is nodes.body_of(node)[0])
        block = node.body.with_changes(body=[*body[:position], statement, *body[position:]])
        yield node.with_changes(body=block, leading_lines=())


FIELD = (
    Operator.made_by(axis),
    Operator.made_by(keepdims),
    Operator.made_by(dtype),
    Operator.made_by(training),
    Operator.made_by(sample_weight),
    Operator.made_by(super_call, "super"),
    Operator.made_by(config_entry, "config"),
    Operator.made_by(reset),
    Operator.made_by(class_state),
    Operator.made_by(closure_state),
    Operator.made_by(new_variable, "new-state"),
    Operator.made_by(sum_or_mean, "sum-mean"),
    Operator.made_by(relative),
    Operator.made_by(where),
    Operator.made_by(numpy_function, "numpy"),
    Operator.made_by(seed),
    Operator.made_by(global_seed),
    Operator.made_by(buffer),
    Operator.made_by(python_range, "range"),
    Operator.made_by(squeeze),
    Operator.made_by(numpy_method, "numpy-result"),
    Operator.made_by(transposition),
    Operator.made_by(listed, "list"),
    Operator.made_by(static_shape, "shape"),
    Operator.made_by(epsilon),
)  # fmt: skip
