"""Computes the first layers in vertical stripes (`--recompute`): rows and the rings between the layers are narrower."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import ClassVar

from tinycompile.ir import Attributes, Graph, Node, Tensor, next_node_id, next_tensor_id
from tinycompile.ops import (
    Columns,
    ColumnsAttributes,
    attributes_of_columns,
    columns_before,
    needed_columns,
    operation,
)
from tinycompile.passes.base import record
from tinycompile.plan import Stripes


@dataclass(frozen=True)
class SplitStripes:
    """Every operator on the way to a tensor becomes one for each stripe, and each stripe is pasted into the tensor.

    An operator of a stripe reads and writes just the columns that the stripe needs, with padding where the image ends. Where
    windows reach over the border of a stripe, both neighbours compute what lies there.
    """

    stripes: Stripes
    name: ClassVar[str] = "split_stripes"

    def run(self, graph: Graph) -> Graph:
        """The operators of all stripes, one stripe after the other, in place of those that led to the tensor."""
        tensor, count = graph.tensors[self.stripes.tensor], self.stripes.count
        last = graph.producers[tensor.id]
        if last.kind == "PASTE_COLUMNS":
            return graph
        width = tensor.shape[2]
        borders = [width * i // count for i in range(count + 1)]
        work = _Stripes(graph, tensor, next_tensor_id(graph), next_node_id(graph))
        for first, end in pairwise(borders):
            work.add((first, end), is_last=end == width)
        replaced = work.replaced()
        others = [node for node in graph.nodes if node.id not in replaced]
        inner = {t for node in graph.nodes if node.id in replaced for t in node.outputs} - {tensor.id}
        tensors = {key: found for key, found in graph.tensors.items() if key not in inner}
        striped = replace(graph, nodes=(*work.nodes, *others), tensors={**tensors, **work.tensors})
        return record(striped, self, last, f"with all that leads to it in {count} vertical stripes")


@dataclass
class _Stripes:
    """The operators and tensors of the stripes made so far; ids count on from those of the graph."""

    graph: Graph
    tensor: Tensor
    next_tensor: int
    next_node: int
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[int, Tensor] = field(default_factory=dict)
    image: int | None = None
    """The image with all stripes so far."""
    pasted: int | None = None
    """The node that made it."""

    def replaced(self) -> set[int]:
        """Nodes of the graph that lead to the tensor."""
        found: set[int] = set()
        wanted = {self.tensor.id}
        for node in reversed(self.graph.nodes):
            if wanted.intersection(node.outputs):
                found.add(node.id)
                wanted.update(t for t in node.inputs if t is not None)
        return found

    def add(self, columns: Columns, *, is_last: bool) -> None:
        """One stripe, and the operator that pastes it."""
        computed = columns_before(self.graph, self.tensor.id, columns)
        assert computed is not None, "these stripes were never possible"
        narrow: dict[int, int] = {}
        for source in self.graph.inputs:
            if source in computed:
                narrow[source] = self.new_tensor(
                    self.graph.tensors[source], computed[source][1] - computed[source][0]
                )
                attributes = ColumnsAttributes(computed[source][0], self.pasted)
                self.new_node("CROP_COLUMNS", (source,), narrow[source], attributes)
        for node in self.graph.nodes:
            if node.outputs[0] in computed:
                narrow[node.outputs[0]] = self.computed(node, computed, narrow)
        pasted = self.tensor.id if is_last else self.new_tensor(self.tensor, self.tensor.shape[2])
        inputs = (narrow[self.tensor.id], *(() if self.image is None else (self.image,)))
        self.new_node("PASTE_COLUMNS", inputs, pasted, ColumnsAttributes(columns[0]))
        self.image, self.pasted = pasted, self.nodes[-1].id

    def computed(self, node: Node, computed: Mapping[int, Columns], narrow: Mapping[int, int]) -> int:
        """The operator for the columns of its output that the stripe needs; its result."""
        current, columns = operation(self.graph, node), computed[node.outputs[0]]
        inputs = list(node.inputs)
        for index, source in enumerate(current.inputs):
            if source is not None and not source.is_constant:
                needed = needed_columns(current, index, columns)
                assert needed is not None
                inputs[index] = self.cropped(narrow[source.id], computed[source.id], needed)
        result = self.new_tensor(current.output, columns[1] - columns[0])
        attributes = attributes_of_columns(current, columns)
        changed = replace(
            node, id=self.next_node, inputs=tuple(inputs), outputs=(result,), attributes=attributes
        )
        self.nodes.append(changed)
        self.next_node += 1
        return result

    def cropped(self, tensor: int, present: Columns, needed: Columns) -> int:
        """A tensor of the needed columns, out of one of the present columns."""
        if present == needed:
            return tensor
        source = self.tensors[tensor] if tensor in self.tensors else self.graph.tensors[tensor]
        result = self.new_tensor(source, needed[1] - needed[0])
        self.new_node("CROP_COLUMNS", (tensor,), result, ColumnsAttributes(needed[0] - present[0]))
        return result

    def new_tensor(self, like: Tensor, columns: int) -> int:
        """A tensor with so many columns; it holds no tensor of the file."""
        images, rows, _, channels = like.shape
        made = replace(
            like, id=self.next_tensor, shape=(images, rows, columns, channels), source=None, part=None
        )
        self.tensors[made.id] = made
        self.next_tensor += 1
        return made.id

    def new_node(self, kind: str, inputs: tuple[int, ...], result: int, attributes: Attributes) -> None:
        """An operator that copies columns."""
        found = self.tensors[result] if result in self.tensors else self.graph.tensors[result]
        self.nodes.append(Node(self.next_node, kind, found.name, inputs, (result,), attributes))
        self.next_node += 1
