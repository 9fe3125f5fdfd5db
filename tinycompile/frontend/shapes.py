"""Output shapes that the file leaves open: converters know no shape rule of custom operators."""

from dataclasses import replace

from tinycompile.errors import Problem
from tinycompile.frontend.check import attempt
from tinycompile.ir import Graph, Node, with_tensors
from tinycompile.ops import CustomOperator, operation, operator_of


def with_inferred_shapes(graph: Graph, node: Node) -> Graph:
    """Give a custom operator's outputs that have no dimensions in the file the shapes that follow from its operands."""
    operator, results = operator_of(node), graph.results(node)
    if not isinstance(operator, CustomOperator) or all(tensor.shape for tensor in results):
        return graph
    inferred = attempt(lambda: operator.infer(operation(graph, node)), "", "operands")
    if isinstance(inferred, Problem) or len(inferred) != len(results):
        return graph  # the checks say what is wrong
    pairs = zip(results, inferred, strict=True)
    return with_tensors(graph, [replace(tensor, shape=shape) for tensor, shape in pairs if not tensor.shape])
