"""The operators there are, found by listing this package: each stands in the module that is named for it."""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from tinycompile.ir import Graph, Node
from tinycompile.ops.base import Operation, Operator, registry

_PACKAGE = "tinycompile.ops"


@cache
def operators() -> dict[str, Operator]:
    """All operators by kind, in alphabetical order. Loads every module: to look one up, `find_operator` is much quicker."""
    for module in sorted(_modules().values()):
        import_module(module)
    return dict(sorted(registry.operators.items()))


def find_operator(kind: str) -> Operator | None:
    """The operator of this kind, None when there is none. Loads no other one: a model needs few of them."""
    if kind not in registry.operators and (module := _modules().get(_letters(kind))):
        import_module(module)
    return registry.operators.get(kind)


def operator_of(node: Node) -> Operator:
    """What the compiler knows of this node's operator; the frontend has refused those it does not know."""
    return operator_named(node.kind)


def operator_named(kind: str) -> Operator:
    """An operator that is known to be there."""
    operator = find_operator(kind)
    assert operator is not None, f"{kind} is no operator"
    return operator


def operation(graph: Graph, node: Node) -> Operation:
    """The node with its tensors."""
    return Operation(node, graph.operands(node), graph.results(node))


@cache
def _modules() -> dict[str, str]:
    """The public modules of the package by the letters and digits of their names."""
    found = (m.name for m in iter_modules([str(Path(__file__).parent)]) if not m.name.startswith("_"))
    return {_letters(name): f"{_PACKAGE}.{name}" for name in found}


def _letters(name: str) -> str:
    """What the kind of an operator and its module have in common: `CUSTOM SignalPCAN` is in `signal_pcan`, `IF` in `if_`."""
    return "".join(filter(str.isalnum, name.removeprefix("CUSTOM "))).lower()
