"""WHILE: runs a subgraph on its own results as long as another one says so.

Source of the semantics: tensorflow/lite/kernels/while.cc. Values that only change places do so as in TFLM; tflite-runtime 2.14
overwrites one of them with the other.
"""

from collections.abc import Sequence

from tinycompile.errors import ModelError, Problem
from tinycompile.ir import Array, DType
from tinycompile.ops._bodies import (
    ControlKernel,
    ControlOperator,
    bodies_of,
    differences,
    inputs_of,
    outputs_of,
    programs_of,
    run,
)
from tinycompile.ops._limits import has_elements
from tinycompile.ops.base import Operation, register
from tinycompile.program import Parameter, Port, Space

MOST_ROUNDS = 100_000
"""Rounds that are evaluated in numpy; the C has no limit."""


def has_subgraphs_of_its_operands(operation: Operation) -> str | None:
    """Both subgraphs take the inputs, the body gives them, and so are the outputs: as many, with the same shapes, types and
    quantization."""
    found = differences("output", operation.inputs, operation.outputs)
    if found:
        return found
    condition, body = bodies_of(operation)
    for subgraph in (condition, body):
        found = differences("input", operation.inputs, inputs_of(subgraph))
        if found:
            return f"subgraph {subgraph.subgraph}: {found}"
    found = differences("output", operation.inputs, outputs_of(body))
    return f"subgraph {body.subgraph}: {found}" if found else None


def has_condition(operation: Operation) -> str | None:
    """The condition gives one bool with one element."""
    outputs = outputs_of(bodies_of(operation)[0])
    if len(outputs) == 1 and outputs[0].dtype is DType.BOOL and outputs[0].elements == 1:
        return None
    return "it gives " + (", ".join(tensor.describe() for tensor in outputs) or "nothing")


class WhileKernel(ControlKernel):
    """Calls the program of the condition and that of the body, on the outputs."""

    template = "control/while.c.j2"

    def staged_bytes(self, operation: Operation) -> int:
        """Values that change places are copied twice."""
        return sum(-(-port.bytes // 8) * 8 for port in _moved(programs_of(operation)[1].outputs))

    def parameters(self, operation: Operation) -> dict[str, Parameter]:
        """Bytes of each value, where staged ones start, and which outputs of the body are staged."""
        moved = [port.index for port in _moved(programs_of(operation)[1].outputs)]
        arena = max(16, *(program.arena_bytes for program in programs_of(operation)))
        return {
            "bytes": tuple(tensor.bytes for tensor in operation.outputs),
            "staged": tuple(moved),
            "stage_offset": -(-arena // 16) * 16,
        }


def _moved(outputs: Sequence[Port]) -> list[Port]:
    """Outputs of the body that are other inputs of it: they are overwritten while they are still needed."""
    return [port for port in outputs if port.space is Space.INPUT and port.port != port.index]


@register
class While(ControlOperator):
    """WHILE; values that only change places do so as in TFLM, where tflite-runtime 2.14 loses one."""

    kind = "WHILE"
    subgraph_options = ("cond_subgraph_index", "body_subgraph_index")
    limits = (has_elements, has_subgraphs_of_its_operands, has_condition)
    kernels = (WhileKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Those of the inputs."""
        return tuple(operation.input(index).shape for index in range(len(operation.inputs)))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Round by round. Raises ModelError when they do not end."""
        condition, body = bodies_of(operation)
        values = [array for array in inputs if array is not None]
        for _ in range(MOST_ROUNDS):
            if not run(condition, values)[0].reshape(-1)[0]:
                return tuple(values)
            values = run(body, values)
        raise ModelError(Problem(operation.node.place, f"does not end within {MOST_ROUNDS} rounds"))

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """The first value is copied to where it changes; there it may lie from the start."""
        return (0,)
