"""Removes operators whose results nobody reads, and tensors that nothing names."""

from dataclasses import dataclass
from typing import ClassVar

from tinycompile.ir import Graph, prune
from tinycompile.passes.base import record


@dataclass(frozen=True)
class RemoveDead:
    """Dead code elimination. Graph inputs stay: they are the interface of the generated code."""

    name: ClassVar[str] = "remove_dead"

    def run(self, graph: Graph) -> Graph:
        """Keep what the outputs need."""
        alive = prune(graph)
        left = {node.id for node in alive.nodes}
        for node in graph.nodes:
            if node.id not in left:
                alive = record(alive, self, node, "nobody reads its results: removed")
        return alive
