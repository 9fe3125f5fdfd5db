"""Removes operators whose results nobody reads, and tensors that nothing names."""

from dataclasses import dataclass
from typing import ClassVar

from tinycompile.ir import Graph, prune


@dataclass(frozen=True)
class RemoveDead:
    """Dead code elimination. Graph inputs stay: they are the interface of the generated code."""

    name: ClassVar[str] = "remove_dead"

    def run(self, graph: Graph) -> Graph:
        """Keep what the outputs need."""
        return prune(graph)
