"""Kernel selection: for each operator the cheapest kernel on this board, with the ones that were rejected."""

from tinycompile.board import Board
from tinycompile.ir import Graph
from tinycompile.ops import Kernel, Operation, operation, operator_of
from tinycompile.plan import Candidate, Choice, Selection


def select(graph: Graph, board: Board) -> Selection:
    """Choose a kernel for every node that runs; views do not.

    Of the kernels that compute the node exactly on this board the one with the fewest estimated cycles is taken; equal ones are
    ordered by flash, then scratch, then the operator's own order.
    """
    return {
        node.id: _choose(operation(graph, node), board)
        for node in graph.nodes
        if not operator_of(node).is_view
    }


def kernel_of(operation: Operation, name: str) -> Kernel:
    """The operator's kernel with this name."""
    return next(k for k in operator_of(operation.node).kernels if k.name == name)


def _choose(operation: Operation, board: Board) -> Choice:
    kernels = [k for k in operator_of(operation.node).kernels if k.supports(operation, board)]
    assert kernels, f"{operation.node.place}: no kernel takes this, and no limit refuses it"
    candidates = [_candidate(kernel, operation, board) for kernel in kernels]
    ranked = sorted(candidates, key=lambda c: (c.cycles, c.flash_bytes, c.scratch_bytes))
    return Choice(ranked[0], tuple(ranked[1:]))


def _candidate(kernel: Kernel, operation: Operation, board: Board) -> Candidate:
    cost = kernel.cost(operation, board)
    return Candidate(
        kernel=kernel.name,
        cycles=cost.cycles,
        flash_bytes=cost.flash_bytes,
        scratch_bytes=kernel.scratch_bytes(operation, board),
        granularities=kernel.granularities,
    )
