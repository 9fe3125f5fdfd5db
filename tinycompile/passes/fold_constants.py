"""Evaluates operators whose operands are all constants."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinycompile.ir import Graph, with_nodes, with_tensors
from tinycompile.ops import ControlAttributes, evaluate_node
from tinycompile.passes.base import record


@dataclass(frozen=True)
class FoldConstants:
    """Constant folding through each operator's reference semantics.

    An operator that writes a graph output stays: outputs are computed, so that the interface of the C code never changes. So
    does one that assigns a variable, since what it assigns is not what the variable held before.
    """

    name: ClassVar[str] = "fold_constants"

    def run(self, graph: Graph) -> Graph:
        """One walk in order: folded results are constants for the operators behind them."""
        for node in graph.nodes:
            operands = [tensor for tensor in graph.operands(node) if tensor is not None]
            runs = isinstance(node.attributes, ControlAttributes)  # a loop could run for long
            if (
                runs
                or graph.kept.intersection(node.outputs)
                or not all(tensor.is_constant for tensor in operands)
            ):
                continue
            values = evaluate_node(graph, node, {tensor.id: tensor.values for tensor in operands})
            folded = [replace(graph.tensors[key], data=found) for key, found in values.items()]
            graph = with_nodes(with_tensors(graph, folded), {node.id: None})
            graph = record(graph, self, node, "its operands are constant: computed at compile time")
        return graph
