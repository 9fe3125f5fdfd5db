"""The operators: one file each, found by importing every module of this package."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from tinycompile.ir import Graph, Node
from tinycompile.ops.access import POINTWISE, REDUCE, WHOLE, Access, Pattern, row_shape
from tinycompile.ops.base import Cost, Kernel, Limit, Operation, Operator, TypeRule, registry


@cache
def operators() -> dict[str, Operator]:
    """All operators by kind, in alphabetical order."""
    for module in sorted(m.name for m in iter_modules(__path__)):
        import_module(f"{__name__}.{module}")
    return dict(sorted(registry.operators.items()))


def operator_of(node: Node) -> Operator:
    """What the compiler knows of this node's operator; the frontend has refused those it does not know."""
    return operators()[node.kind]


def operation(graph: Graph, node: Node) -> Operation:
    """The node with its tensors."""
    return Operation(node, graph.operands(node), graph.results(node))


__all__ = [
    "POINTWISE", "REDUCE", "WHOLE", "Access", "Cost", "Kernel", "Limit", "Operation", "Operator", "Pattern", "TypeRule",
    "operation", "operator_of", "operators", "row_shape",
]  # fmt: skip
