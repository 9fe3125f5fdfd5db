"""An IF whose condition is a constant becomes the operators of its branch."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinycompile.ir import Graph, Node, Tensor, next_node_id, next_tensor_id, with_tensors
from tinycompile.ops import ControlAttributes
from tinycompile.passes.base import record
from tinycompile.passes.fold_constants import FoldConstants

MOST_NODES = 4096
"""Branches in branches could make a graph without end of a small file; beyond this they stay."""


@dataclass(frozen=True)
class ChooseBranches:
    """The branch that is taken stands in the place of the IF; what is constant in it is folded, and may decide on others."""

    name: ClassVar[str] = "choose_branches"

    def run(self, graph: Graph) -> Graph:
        """One IF after the other, until none has a known condition."""
        while len(graph.nodes) < MOST_NODES:
            known = (node for node in graph.nodes if _is_known(graph, node))
            node = next(known, None)
            if node is None:
                break
            taken = 0 if graph.tensor(node.inputs[0]).values.reshape(-1)[0] else 1
            graph = _inlined(graph, node, taken)
            text = f"the condition is known: the {('then', 'else')[taken]} branch takes its place"
            graph = FoldConstants().run(record(graph, self, node, text))
        return graph


def _is_known(graph: Graph, node: Node) -> bool:
    return node.kind == "IF" and graph.tensor(node.inputs[0]).is_constant


def _inlined(graph: Graph, node: Node, taken: int) -> Graph:
    assert isinstance(node.attributes, ControlAttributes)
    branch = node.attributes.bodies[taken].graph
    renamed = dict(zip(branch.inputs, (t for t in node.inputs[1:] if t is not None), strict=True))
    copied: list[tuple[int, int]] = []
    number = next_node_id(graph)
    for inner, outer in zip(branch.outputs, node.outputs, strict=True):
        if inner in branch.producers and inner not in renamed:
            renamed[inner] = outer
        else:  # an input, a constant, or a result that is an output already
            copied.append((inner, outer))
    tensors = _tensors(graph, branch, renamed)
    renamed |= {inner: tensor.id for inner, tensor in tensors.items()}
    nodes = [_renamed(n, number + i, renamed, node) for i, n in enumerate(branch.nodes)]
    for inner, outer in copied:
        copy = Node(number + len(nodes), "COPY", node.name, (renamed[inner],), (outer,), source=node.source)
        nodes.append(copy)
    graph = with_tensors(graph, tensors.values())
    position = graph.nodes.index(node)
    return replace(graph, nodes=(*graph.nodes[:position], *nodes, *graph.nodes[position + 1 :]))


def _tensors(graph: Graph, branch: Graph, renamed: dict[int, int]) -> dict[int, Tensor]:
    """The branch's own tensors under new ids; they are none of the main graph's in the file."""
    own = [tensor for tensor in branch.tensors.values() if tensor.id not in renamed]
    first = next_tensor_id(graph)
    return {t.id: replace(t, id=first + i, source=None, part=None) for i, t in enumerate(own)}


def _renamed(node: Node, number: int, renamed: dict[int, int], place: Node) -> Node:
    """An operator of the branch at the place of the IF."""
    inputs = tuple(None if t is None else renamed[t] for t in node.inputs)
    outputs = tuple(renamed[t] for t in node.outputs)
    return replace(node, id=number, inputs=inputs, outputs=outputs, source=place.source)
