"""PAD: elements of value zero (the zero point of a quantized tensor) around the input.

Source of the semantics: `EvalInt` and `Eval` in tensorflow/lite/kernels/pad.cc.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops._limits import QUANTIZED, constant_input, has_elements
from tinycompile.ops._padding import has_padding_pairs, interior, padded_shape
from tinycompile.ops.base import Operation, register


def has_zero(operation: Operation) -> str | None:
    """A quantized output has one zero point."""
    output = operation.output
    if output.dtype not in QUANTIZED or output.quantization is None:
        return None
    found = set(output.quantization.zero_points)
    low, high = output.dtype.limits
    sound = len(found) == 1 and all(low <= value <= high for value in found)
    return None if sound else f"zero points {sorted(found)[:4]}"


@register
class Pad(DataMovement):
    """PAD with constant paddings."""

    kind = "PAD"
    types = moves_type(DType.INT32, without=(DType.BOOL,))
    limits = (has_elements, constant_input(1, "paddings"), has_padding_pairs, has_zero)
    min_inputs = 2
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Each extent grows by its two paddings."""
        return (padded_shape(operation),)

    def fill(self, operation: Operation) -> int | float | bool | None:
        """The zero point, or 0."""
        return operation.output.zero_point if operation.output.dtype in QUANTIZED else 0

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """The interior of the output from all of the input."""
        return [(interior(operation, outputs[0]), inputs[0])]
