"""The text form of a graph, for dumps after a pass and for Before / Expected tests. One line per operator."""

from dataclasses import fields, is_dataclass

from tinycompile.ir.graph import Graph
from tinycompile.ir.types import Attributes, Node, Tensor


def to_text(graph: Graph) -> str:
    """Print the graph: its inputs, one operator a line with operands, attributes and results, its outputs."""
    lines = [f"graph {graph.name}"]
    lines += [f"  input {_tensor(graph.tensors[t])}" for t in graph.inputs]
    lines += [f"  variable {_tensor(graph.tensors[v.read])} -> %{v.assigned}" for v in graph.variables]
    lines += [f"  {_node(graph, node)}" for node in graph.nodes]
    lines += [f"  output %{t}" for t in graph.outputs]
    return "\n".join(lines) + "\n"


def _node(graph: Graph, node: Node) -> str:
    results = ", ".join(_tensor(tensor) for tensor in graph.results(node))
    operands = ", ".join(_operand(tensor) for tensor in graph.operands(node))
    return f"{results} = {node.kind}({operands}){_attributes(node.attributes)}"


def _tensor(tensor: Tensor) -> str:
    return f"%{tensor.id}: {tensor.describe()}"


def _operand(tensor: Tensor | None) -> str:
    if tensor is None:
        return "none"
    return f"const {tensor.describe()}" if tensor.is_constant else f"%{tensor.id}"


def _attributes(attributes: Attributes) -> str:
    return f" {_value(attributes)}" if fields(attributes) else ""


def _value(value: object) -> str:
    """Enums by the name that the schema has for them, groups of attributes in braces."""
    if is_dataclass(value) and type(value).__str__ is object.__str__:
        shown = (field.name for field in fields(value) if field.repr)
        return f"{{{', '.join(f'{name}={_value(getattr(value, name))}' for name in shown)}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))})"
    return str(getattr(value, "value", value))
