"""What operators themselves keep between calls (delay lines, noise estimates) becomes variables of the graph."""

from dataclasses import replace

from tinycompile.ir import DType, Graph, Node, Tensor, Variable, next_tensor_id, with_nodes, with_tensors
from tinycompile.ops import operation, operator_of


def with_operator_state(graph: Graph) -> Graph:
    """Give each operator that keeps something its old values as inputs and its new ones as outputs, in dataflow form."""
    for node in graph.nodes:
        for index, initial in enumerate(operator_of(node).state(operation(graph, node))):
            first = next_tensor_id(graph)
            name = f"{node.name} (state {index})"
            old = Tensor(first, name, initial.shape, DType(initial.dtype.name))
            new = Tensor(first + 1, f"{name}, assigned", initial.shape, old.dtype)
            variable = Variable(name, old.id, new.id, initial)
            graph = with_tensors(graph, [old, new])
            node = _with_operands(node, old.id, new.id)
            graph = replace(with_nodes(graph, {node.id: node}), variables=(*graph.variables, variable))
    return graph


def _with_operands(node: Node, old: int, new: int) -> Node:
    return replace(node, inputs=(*node.inputs, old), outputs=(*node.outputs, new))
