"""Turns the records of a .tflite file into a Graph, and collects everything that is wrong with the model on the way."""

from dataclasses import dataclass, field

from tinycompile.errors import ModelError, Problem
from tinycompile.frontend.check import check_node, parse_attributes
from tinycompile.frontend.reader import FileModel, FileOperator, read_file
from tinycompile.frontend.tensors import import_tensor
from tinycompile.ir import Attributes, Graph, Node, Tensor, verify
from tinycompile.ops import operation, operators

_MAX_PROBLEMS = 50


def read_model(data: bytes, name: str) -> Graph:
    """Read the bytes of a .tflite file. `name` becomes the graph's name and says in messages which model is meant.

    Raises ModelError with all problems at once: a malformed file, dynamic shapes, operators, types or options that are not
    supported, shapes that contradict the operators.
    """
    importer = _Importer(read_file(data, name), name)
    graph = importer.graph()
    if importer.problems:
        raise ModelError(_at_most(importer.problems, name))
    assert graph is not None
    verify(graph)
    return graph


def _at_most(problems: list[Problem], name: str) -> list[Problem]:
    rest = len(problems) - _MAX_PROBLEMS
    return problems if rest <= 0 else [*problems[:_MAX_PROBLEMS], Problem(name, f"and {rest} problems more")]


@dataclass
class _Importer:
    """The steps of the import; each notes its problems, and a step runs only when those before it found none."""

    file: FileModel
    name: str
    problems: list[Problem] = field(default_factory=list)

    def graph(self) -> Graph | None:
        steps = (self._check_indices, self._check_order)
        for step in steps:
            step()
            if self.problems:
                return None
        tensors = self._tensors()
        self._check_support()
        if self.problems:
            return None
        graph = Graph(
            self.name, tensors, self._nodes(), self.file.subgraph.inputs, self.file.subgraph.outputs
        )
        if self.problems:
            return None
        for node in graph.nodes:
            self.problems += check_node(operation(graph, node), self._place(node.source[0]))
        return graph

    def _place(self, index: int) -> str:
        """Where a message says that something is: `kws: #7 CONV_2D "model/conv_3"`."""
        operator = self.file.subgraph.operators[index]
        return f'{self.name}: #{index} {operator.kind} "{self._name(operator)}"'

    def _name(self, operator: FileOperator) -> str:
        tensors = self.file.subgraph.tensors
        first = next((t for t in operator.outputs if 0 <= t < len(tensors)), None)
        return "" if first is None else tensors[first].name

    def _check_indices(self) -> None:
        """Every index names a tensor, and there is something to compute."""
        subgraph = self.file.subgraph
        count = len(subgraph.tensors)
        for label, indices in (("input", subgraph.inputs), ("output", subgraph.outputs)):
            bad = [index for index in indices if not 0 <= index < count]
            if bad:
                self._note(f"graph {label}s name tensors {bad}, the file has {count}")
            if not indices:
                self._note(f"the graph has no {label}s")
        if len(set(subgraph.inputs)) < len(subgraph.inputs):
            self._note("a tensor is a graph input twice")
        if not subgraph.operators:
            self._note("the graph has no operators")
        for index, operator in enumerate(subgraph.operators):
            bad = [t for t in operator.inputs if not -1 <= t < count] + [
                t for t in operator.outputs if not 0 <= t < count
            ]
            if bad:
                self.problems.append(
                    Problem(self._place(index), f"names tensors {bad}, the file has {count}")
                )

    def _check_order(self) -> None:
        """Each tensor is written once and before it is read."""
        subgraph = self.file.subgraph
        written_by = {t: i for i, operator in enumerate(subgraph.operators) for t in operator.outputs}
        known = set(subgraph.inputs)
        for index, operator in enumerate(subgraph.operators):
            for tensor in operator.inputs:
                if tensor in written_by and tensor not in known:
                    found = f"reads tensor {tensor} before operator #{written_by[tensor]} writes it"
                    self.problems.append(Problem(self._place(index), found, "operators must stand in order"))
            for tensor in operator.outputs:
                if tensor in known:
                    self.problems.append(Problem(self._place(index), f"writes tensor {tensor} a second time"))
                known.add(tensor)

    def _tensors(self) -> dict[int, Tensor]:
        """All tensors that operators or the graph's interface name."""
        subgraph = self.file.subgraph
        computed = set(subgraph.inputs) | {t for operator in subgraph.operators for t in operator.outputs}
        used = computed | set(subgraph.outputs) | {t for o in subgraph.operators for t in o.inputs if t >= 0}
        weight_axes = {
            operator.inputs[1]: WEIGHT_AXES[operator.kind]
            for operator in subgraph.operators
            if operator.kind in WEIGHT_AXES and len(operator.inputs) > 1
        }
        tensors: dict[int, Tensor] = {}
        for index in sorted(used):
            place = f'{self.name}: tensor {index} "{subgraph.tensors[index].name}"'
            found = import_tensor(self.file, index, index in computed, weight_axes.get(index))
            if isinstance(found, Tensor):
                tensors[index] = found
            else:
                self.problems += [Problem(place, *problem) for problem in found]
        return tensors

    def _check_support(self) -> None:
        supported = operators()
        unknown = [
            i for i, operator in enumerate(self.file.subgraph.operators) if operator.kind not in supported
        ]
        self.problems += [Problem(self._place(index), "the operator is not supported") for index in unknown]
        if unknown:
            self._note(f"supported operators: {', '.join(supported)}")
        for index, operator in enumerate(self.file.subgraph.operators):
            if operator.kind in supported and not operator.outputs:
                self.problems.append(Problem(self._place(index), "has no output"))

    def _nodes(self) -> tuple[Node, ...]:
        return tuple(self._node(i, operator) for i, operator in enumerate(self.file.subgraph.operators))

    def _node(self, index: int, operator: FileOperator) -> Node:
        attributes = parse_attributes(operator.kind, operator.options, self._place(index))
        if isinstance(attributes, Problem):
            self.problems.append(attributes)
            attributes = Attributes()
        inputs = tuple(None if t < 0 else t for t in operator.inputs)
        return Node(
            index, operator.kind, self._name(operator), inputs, operator.outputs, attributes, (index,)
        )

    def _note(self, found: str) -> None:
        self.problems.append(Problem(self.name, found))


WEIGHT_AXES = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}
"""The output channels of weights. The kernels of TFLM take this axis, whatever `quantized_dimension` says (person_detect)."""
