"""The operators there are, found by importing every module of this package."""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from tinycompile.ir import Graph, Node
from tinycompile.ops.base import Operation, Operator, registry

_PACKAGE = "tinycompile.ops"


@cache
def operators() -> dict[str, Operator]:
    """All operators by kind, in alphabetical order."""
    for module in sorted(m.name for m in iter_modules([str(Path(__file__).parent)])):
        import_module(f"{_PACKAGE}.{module}")
    return dict(sorted(registry.operators.items()))


def operator_of(node: Node) -> Operator:
    """What the compiler knows of this node's operator; the frontend has refused those it does not know."""
    return operators()[node.kind]


def operation(graph: Graph, node: Node) -> Operation:
    """The node with its tensors."""
    return Operation(node, graph.operands(node), graph.results(node))
