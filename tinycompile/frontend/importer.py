"""Turns the records of a .tflite file into a Graph, and collects everything that is wrong with the model on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from tinycompile.errors import ModelError, Problem
from tinycompile.frontend.check import check_node, is_supported, parse_attributes
from tinycompile.frontend.reader import FileModel, FileOperator, read_file
from tinycompile.frontend.shapes import with_inferred_shapes
from tinycompile.frontend.state import variable_tensors, with_operator_state
from tinycompile.frontend.tensors import import_tensor
from tinycompile.frontend.variables import Held, Key, Resolved, resolve_variables
from tinycompile.ir import Array, Attributes, Graph, Node, Tensor, Variable, verify
from tinycompile.ops import Body, ControlAttributes, evaluate_graph, operation, operators

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


class _Role(Enum):
    """Who runs a subgraph."""

    MAIN = "the caller"
    ONCE = "CALL_ONCE"
    BODY = "IF or WHILE"


@dataclass
class _Importer:
    """The steps of the import; each notes its problems, and a step runs only when those before it found none.

    `initial` holds what the variables hold before CALL_ONCE runs a subgraph, `running` the subgraphs that wait for this one.
    """

    file: FileModel
    name: str
    index: int = 0
    role: _Role = _Role.MAIN
    initial: dict[Key, Array] = field(default_factory=dict)
    running: tuple[int, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    bodies: dict[int, Body] = field(default_factory=dict)
    """Subgraphs that IF and WHILE run, by their index."""

    def __post_init__(self) -> None:
        self.subgraph = self.file.subgraphs[self.index]
        self.added_from = len(self.subgraph.tensors)
        self.assigned: Mapping[Key, int] = {}

    def graph(self) -> Graph | None:
        """The subgraph; what it assigns to variables are the outputs of one that CALL_ONCE runs."""
        self._check_indices()
        if self.problems:
            return None
        resolved = self._resolve()
        self._check_order(resolved)
        if self.problems:
            return None
        tensors = self._tensors(resolved)
        self._check_support()
        if self.problems:
            return None
        self.assigned = resolved.values
        is_once = self.role is _Role.ONCE
        outputs = tuple(self.assigned.values()) if is_once else self.subgraph.outputs
        variables = () if is_once else self._variables(resolved)
        graph = Graph(self.name, tensors, self._nodes(), self.subgraph.inputs, outputs, variables=variables)
        if self.problems:
            return None
        for node, operator in zip(graph.nodes, self.subgraph.operators, strict=True):
            graph = with_inferred_shapes(graph, node)
            self.problems += check_node(operation(graph, node), self._place(operator))
        if self.problems:
            return None
        graph = with_operator_state(graph)
        if graph.variables and self.role is _Role.BODY:
            names = ", ".join(variable.name for variable in graph.variables)
            self._note(f"keeps {names} between calls; only the main graph can")
        return graph

    def _place(self, operator: FileOperator) -> str:
        """Where a message says that something is: `kws: #7 CONV_2D "model/conv_3"`."""
        return f'{self.name}: {self._inside}#{operator.index} {operator.kind} "{self._name(operator)}"'

    @property
    def _inside(self) -> str:
        return f'subgraph {self.index} "{self.subgraph.name}": ' if self.index else ""

    def _name(self, operator: FileOperator) -> str:
        tensors = self.subgraph.tensors
        first = next((t for t in operator.outputs if 0 <= t < len(tensors)), None)
        return "" if first is None else tensors[first].name

    def _check_indices(self) -> None:
        """Every index names a tensor, and there is something to compute."""
        subgraph = self.subgraph
        count = len(subgraph.tensors)
        for label, indices in (("input", subgraph.inputs), ("output", subgraph.outputs)):
            bad = [index for index in indices if not 0 <= index < count]
            if bad:
                self._note(f"graph {label}s name tensors {bad}, the file has {count}")
            if not indices and self.role is _Role.MAIN:
                self._note(f"the graph has no {label}s")
            if indices and self.role is _Role.ONCE:
                self._note(f"CALL_ONCE runs it, but it has {label}s")
        if len(set(subgraph.inputs)) < len(subgraph.inputs):
            self._note("a tensor is a graph input twice")
        if not subgraph.operators and self.role is _Role.MAIN:
            self._note("the graph has no operators")
        for operator in subgraph.operators:
            bad = [t for t in operator.inputs if not -1 <= t < count] + [
                t for t in operator.outputs if not 0 <= t < count
            ]
            if bad:
                self.problems.append(
                    Problem(self._place(operator), f"names tensors {bad}, the file has {count}")
                )

    def _resolve(self) -> Resolved:
        """Take the handles out, run what CALL_ONCE runs, and see that every variable has an initial value."""
        resolved = resolve_variables(self.subgraph)
        for index, found in resolved.problems:
            place = self.name if index < 0 else self._place(self.subgraph.operators[index])
            self.problems.append(Problem(place, found))
        if self.role is _Role.BODY and (resolved.values or resolved.once):
            self._note("uses resource variables; only the main graph can")
            return resolved
        for index, called in resolved.once:
            self._call_once(self.subgraph.operators[index], called)
        for held in resolved.held:
            if held.key not in self.initial and not self.problems:
                found = f'reads variable "{held.key[1]}", which nothing initialises'
                action = "convert the model with its initial values (CALL_ONCE)"
                place = self._place(self.subgraph.operators[held.operator])
                self.problems.append(Problem(place, found, action=action))
        self.subgraph = resolved.subgraph
        return resolved

    def _call_once(self, operator: FileOperator, index: int) -> None:
        """Evaluate a subgraph that assigns initial values to variables: it has no inputs, so all is known here."""
        called = self._called(operator, index, _Role.ONCE)
        graph = called.graph() if called else None
        self.problems += called.problems if called else []
        if called is None or graph is None or self.problems:
            return
        values = evaluate_graph(graph, {})
        self.initial |= {key: values[tensor] for key, tensor in called.assigned.items()}

    def _called(self, operator: FileOperator, index: int, role: _Role) -> "_Importer | None":
        """The importer of a subgraph that an operator runs; None after noting that it cannot."""
        waiting = (*self.running, self.index)
        if index in waiting or not 0 < index < len(self.file.subgraphs):
            found = f"runs subgraph {index} of {len(self.file.subgraphs)}"
            self.problems.append(Problem(self._place(operator), found, "a subgraph that does not run it"))
            return None
        return _Importer(self.file, self.name, index, role, self.initial, waiting, bodies=self.bodies)

    def _with_bodies(self, operator: FileOperator, attributes: ControlAttributes) -> ControlAttributes:
        """The attributes with the subgraphs that the operator runs; each is read once."""
        for index in dict.fromkeys(attributes.subgraphs):
            called = None if index in self.bodies else self._called(operator, index, _Role.BODY)
            if called is not None:
                graph = called.graph()
                self.problems += called.problems
                if graph is not None:
                    self.bodies[index] = Body(index, graph)
        bodies = tuple(self.bodies[index] for index in attributes.subgraphs if index in self.bodies)
        return replace(attributes, bodies=bodies)

    def _variables(self, resolved: Resolved) -> tuple[Variable, ...]:
        """The variables that change; the others are constants."""
        return tuple(
            Variable(held.key[1], held.read, held.assigned, self.initial[held.key])
            for held in resolved.held
            if held.assigned is not None
        )

    def _check_order(self, resolved: Resolved) -> None:
        """Each tensor is written once and before it is read."""
        subgraph = self.subgraph
        written_by = {t: operator.index for operator in subgraph.operators for t in operator.outputs}
        known = {*subgraph.inputs, *(held.read for held in resolved.held)}
        for operator in subgraph.operators:
            for tensor in operator.inputs:
                if tensor in written_by and tensor not in known:
                    found = f"reads tensor {tensor} before operator #{written_by[tensor]} writes it"
                    self.problems.append(
                        Problem(self._place(operator), found, "operators must stand in order")
                    )
            for tensor in operator.outputs:
                if tensor in known:
                    self.problems.append(
                        Problem(self._place(operator), f"writes tensor {tensor} a second time")
                    )
                known.add(tensor)

    def _tensors(self, resolved: Resolved) -> dict[int, Tensor]:
        """All tensors that operators, variables or the graph's interface name."""
        subgraph = self.subgraph
        held = {variable.read: variable for variable in resolved.held}
        computed = {*subgraph.inputs, *held, *self._variable_tensors()} | {
            t for operator in subgraph.operators for t in operator.outputs
        }
        used = computed | {*subgraph.outputs, *resolved.values.values()}
        used |= {t for operator in subgraph.operators for t in operator.inputs if t >= 0}
        weight_axes = {
            operator.inputs[1]: WEIGHT_AXES[operator.kind]
            for operator in subgraph.operators
            if operator.kind in WEIGHT_AXES and len(operator.inputs) > 1
        }
        tensors: dict[int, Tensor] = {}
        for index in sorted(used):
            place = f'{self.name}: {self._inside}tensor {index} "{subgraph.tensors[index].name}"'
            record, axis = subgraph.tensors[index], weight_axes.get(index)
            found = import_tensor(record, index, self.file.buffers, index in computed, axis)
            if isinstance(found, Tensor):
                tensors[index] = self._held(found, held.get(index))
            else:
                self.problems += [Problem(place, *problem) for problem in found]
        return tensors

    def _variable_tensors(self) -> frozenset[int]:
        """What operators keep between calls in tensors of the file."""
        tensors, problems = variable_tensors(self.subgraph)
        self.problems += [Problem(self._place(operator), found) for operator, found in problems]
        return tensors

    def _held(self, tensor: Tensor, variable: Held | None) -> Tensor:
        """Tensors that were added are not those of the file; a variable that keeps its value is a constant."""
        if tensor.id < self.added_from:
            return tensor
        tensor = replace(tensor, source=None)
        if variable is None:
            return tensor
        initial = self.initial[variable.key]
        if (initial.shape, initial.dtype) != (tensor.shape, tensor.dtype.numpy):
            found = f'reads {tensor.describe()} from variable "{variable.key[1]}"'
            place = self._place(self.file.subgraphs[self.index].operators[variable.operator])
            shape = ",".join(map(str, initial.shape))
            self.problems.append(Problem(place, found, f"it was initialised with {initial.dtype}[{shape}]"))
        is_constant = self.role is _Role.ONCE or variable.assigned is None
        return replace(tensor, data=initial) if is_constant else tensor

    def _check_support(self) -> None:
        unknown = [operator for operator in self.subgraph.operators if not is_supported(operator.kind)]
        for operator in unknown:
            own = "write it yourself: docs/custom-operators.md" if operator.kind.startswith("CUSTOM") else ""
            self.problems.append(Problem(self._place(operator), "the operator is not supported", action=own))
        if unknown:
            self._note(f"supported operators: {', '.join(filter(is_supported, operators()))}")
        for operator in self.subgraph.operators:
            if is_supported(operator.kind) and not operator.outputs:
                self.problems.append(Problem(self._place(operator), "has no output"))

    def _nodes(self) -> tuple[Node, ...]:
        return tuple(map(self._node, self.subgraph.operators))

    def _node(self, operator: FileOperator) -> Node:
        attributes = parse_attributes(operator.kind, operator.options, self._place(operator))
        if isinstance(attributes, Problem):
            self.problems.append(attributes)
            attributes = Attributes()
        if isinstance(attributes, ControlAttributes):
            attributes = self._with_bodies(operator, attributes)
        inputs = tuple(None if t < 0 else t for t in operator.inputs)
        index = operator.index
        return Node(
            index, operator.kind, self._name(operator), inputs, operator.outputs, attributes, (index,)
        )

    def _note(self, found: str) -> None:
        self.problems.append(Problem(f"{self.name}: {self._inside}".removesuffix(": "), found))


WEIGHT_AXES = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}
"""The output channels of weights. The kernels of TFLM take this axis, whatever `quantized_dimension` says (person_detect)."""
