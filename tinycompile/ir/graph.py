"""The graph: immutable tensors and operators, with the networkx view that algorithms walk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from tinycompile.ir.types import Change, Node, Tensor, Variable

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, eq=False)
class Graph:
    """A model. `nodes` stand in an order in which they can run; `tensors` holds every tensor by its id.

    `changes` is what the passes did to get here, in order. A graph is never changed: `tinycompile.ir.edit` makes a new one.
    """

    name: str
    tensors: Mapping[int, Tensor]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    changes: tuple[Change, ...] = ()
    variables: tuple[Variable, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    @cached_property
    def producers(self) -> Mapping[int, Node]:
        """The operator that writes each tensor; graph inputs and constants have none."""
        return {tensor: node for node in self.nodes for tensor in node.outputs}

    @cached_property
    def consumers(self) -> Mapping[int, tuple[Node, ...]]:
        """The operators that read each tensor, in order, each once."""
        found: dict[int, list[Node]] = {tensor: [] for tensor in self.tensors}
        for node in self.nodes:
            for tensor in dict.fromkeys(t for t in node.inputs if t is not None):
                found[tensor].append(node)
        return {tensor: tuple(nodes) for tensor, nodes in found.items()}

    @cached_property
    def networkx(self) -> "nx.MultiDiGraph[int]":
        """Operators as vertices (by node id), activations as edges with the key `tensor`."""
        import networkx as nx  # not above: loading it takes as long as planning a small model

        view: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=self.name)
        for node in self.nodes:
            view.add_node(node.id, node=node)
        for node in self.nodes:
            for tensor in node.inputs:
                if tensor is not None and tensor in self.producers:
                    view.add_edge(self.producers[tensor].id, node.id, tensor=tensor)
        return view

    @cached_property
    def given(self) -> frozenset[int]:
        """Tensors that exist before the first operator runs: the inputs, and what the variables hold."""
        return frozenset((*self.inputs, *(variable.read for variable in self.variables)))

    @cached_property
    def kept(self) -> frozenset[int]:
        """Tensors that outlive the last operator: the outputs, and what the variables will hold."""
        return frozenset((*self.outputs, *(variable.assigned for variable in self.variables)))

    def tensor(self, tensor_id: int | None) -> Tensor:
        """The tensor with this id; a mandatory operand is never None."""
        assert tensor_id is not None, "a mandatory operand is missing"
        return self.tensors[tensor_id]

    def operands(self, node: Node) -> tuple[Tensor | None, ...]:
        """The input tensors of a node; None where an optional one is absent."""
        return tuple(None if t is None else self.tensors[t] for t in node.inputs)

    def results(self, node: Node) -> tuple[Tensor, ...]:
        """The output tensors of a node."""
        return tuple(self.tensors[t] for t in node.outputs)

    def activations(self, node: Node) -> Iterator[Tensor]:
        """The inputs of a node that are computed at run time, each once."""
        for tensor_id in dict.fromkeys(t for t in node.inputs if t is not None):
            if not self.tensors[tensor_id].is_constant:
                yield self.tensors[tensor_id]
