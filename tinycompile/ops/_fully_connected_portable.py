"""Portable kernel of FULLY_CONNECTED: plain C that compilers vectorise."""

from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._conv_2d_portable import portable_cost
from tinycompile.ops._linear import weights_without_zero_point
from tinycompile.ops._portable import portable_form
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Passing


class FullyConnectedPortable(Kernel):
    """Any depth, number of units and batch; weights may have a zero point."""

    name = "fully_connected_portable"

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `portable_cost`."""
        return portable_cost(operation, operation.input(1).shape[1])

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `fully_connected/portable.c.j2`."""
        weights = operation.input(1)
        units, depth = weights.shape
        offset = weights_without_zero_point(operation)
        is_legacy = weights.dtype is DType.UINT8
        form = portable_form(operation, offset, offset if is_legacy else weights.values, border=False)
        correction = (weights.zero_point,) if weights.zero_point and not is_legacy else ()
        return KernelCode(
            template="fully_connected/portable.c.j2",
            parameters={
                **form.holes,
                "batches": operation.output.elements // units,
                "depth": depth,
                "units": units,
                "weights_zero_point": bool(correction),
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER), *form.inputs),
            constants=form.constants,
            arguments=(*form.arguments, *correction),
            runtime=form.runtime,
        )
