"""IF: runs one of two subgraphs.

Source of the semantics: tensorflow/lite/kernels/if.cc.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._bodies import (
    ControlKernel,
    ControlOperator,
    bodies_of,
    differences,
    inputs_of,
    outputs_of,
    run,
)
from tinycompile.ops._limits import has_elements
from tinycompile.ops.base import Operation, register


def has_condition(operation: Operation) -> str | None:
    """The first input is a bool with one element."""
    condition = operation.inputs[0]
    if condition is None:
        return "it is missing"
    return (
        None if condition.dtype is DType.BOOL and condition.elements == 1 else f"it is {condition.describe()}"
    )


def has_branches_of_its_operands(operation: Operation) -> str | None:
    """Both subgraphs take the further inputs and give the outputs: as many, with the same shapes, types and quantization."""
    for body in bodies_of(operation):
        found = differences("input", operation.inputs[1:], inputs_of(body))
        found = found or differences("output", operation.outputs, outputs_of(body))
        if found:
            return f"subgraph {body.subgraph}: {found}"
    return None


class IfKernel(ControlKernel):
    """Calls the program of one branch or of the other."""

    template = "control/if.c.j2"
    first_operand = 1


@register
class If(ControlOperator):
    """IF; a condition that is known at compile time leaves one branch."""

    kind = "IF"
    subgraph_options = ("then_subgraph_index", "else_subgraph_index")
    limits = (has_elements, has_condition, has_branches_of_its_operands)
    kernels = (IfKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Those of the branches."""
        return tuple(tensor.shape for tensor in outputs_of(bodies_of(operation)[0]))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The branch that is taken."""
        condition, *operands = (array for array in inputs if array is not None)
        branch = bodies_of(operation)[0 if condition.reshape(-1)[0] else 1]
        return tuple(run(branch, operands))
