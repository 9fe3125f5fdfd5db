"""The passes in order; each result is verified."""

from tinycompile.ir import Graph, prune, verify


def run_passes(graph: Graph) -> Graph:
    """Run every pass once, in order."""
    result = prune(graph)
    verify(result)
    return result
