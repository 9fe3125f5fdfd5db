"""Operators that run subgraphs (IF, WHILE): the subgraphs as attributes, and how a kernel calls their programs.

A body is compiled before the operator's kernel is chosen, by the same stages as a model. Its inputs are read where the operator's
operands lie; its arena is the operator's scratch, where its results are picked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tinycompile.board import Board
from tinycompile.ir import Array, Attributes, Graph, Options, Tensor
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, TypeRule
from tinycompile.ops.catalog import operation as operation_of
from tinycompile.ops.catalog import operator_of
from tinycompile.ops.interpret import evaluate_graph
from tinycompile.program import Granularity, KernelCode, Parameter, Passing, Port, Program, Space


@dataclass(frozen=True, eq=False)
class Body:
    """A subgraph of the file that an operator runs. `program` is what it was compiled to, None before that."""

    subgraph: int
    graph: Graph = field(repr=False)
    program: Program | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ControlAttributes(Attributes):
    """The subgraphs that an operator runs, by their index in the file; the frontend reads `bodies`."""

    subgraphs: tuple[int, ...]
    bodies: tuple[Body, ...] = ()


@dataclass(frozen=True)
class AnyTypes(TypeRule):
    """All element types; limits hold operands against the subgraphs."""

    def fits(self, operation: Operation) -> bool:
        """Always."""
        return True

    def __str__(self) -> str:
        return "any -> any"


def bodies_of(operation: Operation) -> tuple[Body, ...]:
    """The subgraphs of an operation."""
    assert isinstance(operation.node.attributes, ControlAttributes)
    return operation.node.attributes.bodies


def run(body: Body, inputs: Sequence[Array]) -> list[Array]:
    """Outputs of a body, in numpy."""
    values = evaluate_graph(body.graph, dict(zip(body.graph.inputs, inputs, strict=True)))
    return [values[tensor] for tensor in body.graph.outputs]


def differences(role: str, wanted: Sequence[Tensor | None], found: Sequence[Tensor]) -> str | None:
    """How tensors of a subgraph differ in number, shape, type or quantization from those of the operator; None: nowhere."""
    if len(wanted) != len(found):
        return f"it has {len(found)} {role}s for {len(wanted)}"
    for index, (outer, inner) in enumerate(zip(wanted, found, strict=True)):
        if outer is None:
            return f"{role} {index} is missing"
        if (outer.shape, outer.dtype) != (inner.shape, inner.dtype):
            return f"{role} {index} is {inner.describe()} for {outer.describe()}"
        if outer.dtype.is_integer and outer.quantization != inner.quantization:
            return f"{role} {index} is quantized otherwise"
    return None


def inputs_of(body: Body) -> list[Tensor]:
    """The input tensors of a subgraph."""
    return [body.graph.tensors[tensor] for tensor in body.graph.inputs]


def outputs_of(body: Body) -> list[Tensor]:
    """The output tensors of a subgraph."""
    return [body.graph.tensors[tensor] for tensor in body.graph.outputs]


class ControlOperator(Operator):
    """Base of operators that run subgraphs."""

    types = (AnyTypes((), ()),)
    max_inputs = 1 << 10
    subgraph_options: ClassVar[tuple[str, str]]
    """The options that name its subgraphs."""

    def parse(self, options: Options) -> ControlAttributes:
        """The indices of the subgraphs in the file."""
        return ControlAttributes(tuple(int(options.get(name, 0)) for name in self.subgraph_options))

    def access(self, operation: Operation, index: int) -> Access:
        """A subgraph may do anything."""
        return WHOLE

    def macs(self, operation: Operation) -> int:
        """Those of the subgraphs, each run once."""
        return sum(
            operator_of(node).macs(operation_of(body.graph, node))
            for body in bodies_of(operation)
            for node in body.graph.nodes
        )


class ControlKernel(Kernel):
    """Calls the programs of the subgraphs."""

    name = "calls"
    template: ClassVar[str]
    first_operand: ClassVar[int] = 0
    """The first input of the operator that the subgraphs take."""

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Every subgraph once."""
        programs = programs_of(operation)
        layers = [layer for program in programs for layer in program.layers]
        return Cost(
            sum(layer.estimated_cycles for layer in layers),
            sum(program.weights_bytes for program in programs),
        )

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """The larger arena, and what must be copied twice."""
        arena = max(16, *(program.arena_bytes for program in programs_of(operation)))
        return -(-arena // 16) * 16 + self.staged_bytes(operation)

    def staged_bytes(self, operation: Operation) -> int:
        """Bytes behind the arena."""
        return 0

    def parameters(self, operation: Operation) -> dict[str, Parameter]:
        """Further holes of the template."""
        return {}

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes: types of the operands, and for each subgraph its name and its outputs (see `place`)."""
        programs = programs_of(operation)
        operands = range(len(operation.inputs))
        parameters: dict[str, Parameter] = {
            "inputs": tuple(operation.input(i).dtype.c_type for i in operands[self.first_operand :]),
            "outputs": tuple(tensor.dtype.c_type for tensor in operation.outputs),
            "bodies": tuple((p.name, tuple(map(place, p.outputs))) for p in programs),
            **self.parameters(operation),
        }
        return KernelCode(
            template=self.template,
            parameters=parameters,
            granularity=Granularity.WHOLE,
            inputs=tuple((index, Passing.POINTER) for index in operands),
            scratch_bytes=self.scratch_bytes(operation, board),
            calls=programs,
        )


def programs_of(operation: Operation) -> tuple[Program, ...]:
    """The compiled subgraphs."""
    programs = []
    for body in bodies_of(operation):
        assert body.program is not None, f"{operation.node.place}: subgraph {body.subgraph} is not compiled"
        programs.append(body.program)
    return tuple(programs)


def place(port: Port) -> Parameter:
    """Where an output of a subgraph lies: space, offset or input, constant, bytes."""
    number = port.port if port.space is Space.INPUT else port.offset
    return port.space.value, number, port.constant, port.bytes
