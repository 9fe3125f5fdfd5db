"""CROP_COLUMNS: some columns of an image. No operator of the schema; a pass makes it where an image is computed in stripes."""

from collections.abc import Sequence

from tinycompile.ir import Array
from tinycompile.ops._column_copies import ColumnsKernel, columns_attributes
from tinycompile.ops._copy import moves_type
from tinycompile.ops.base import Operation, Operator, register


@register
class CropColumns(Operator):
    """As many columns of the input as the output has, from the first one on that the attributes name."""

    kind = "CROP_COLUMNS"
    types = moves_type()
    made_by_passes = True
    kernels = (ColumnsKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape that the pass gave the output."""
        return (operation.output.shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The columns."""
        first = columns_attributes(operation).first
        assert inputs[0] is not None
        return (inputs[0][:, :, first : first + operation.output.shape[2]],)

    def follows(self, operation: Operation) -> tuple[int, ...]:
        """A stripe begins when the one before has ended: the rings of both never live together."""
        before = columns_attributes(operation).follows
        return () if before is None else (before,)
