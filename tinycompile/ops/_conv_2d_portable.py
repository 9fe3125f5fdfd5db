"""Portable kernels of CONV_2D: plain C that compilers vectorise."""

from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._linear import weights_without_zero_point
from tinycompile.ops._portable import PortableForm, portable_form
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Parameter, Passing

CYCLES_PER_MAC = 5.0
CYCLES_PER_OUTPUT = 40


def portable_cost(operation: Operation, taps: int) -> Cost:
    """Cost of plain C: a few instructions for each product, and the general requantization."""
    cycles = operation.output.elements * (CYCLES_PER_OUTPUT + taps * CYCLES_PER_MAC)
    channels = operation.output.shape[-1]
    return Cost(int(cycles), operation.input(1).bytes + 12 * channels)


def _form(operation: Operation, *, border: bool) -> PortableForm:
    """Weights lie as the file has them."""
    weights = weights_without_zero_point(operation)
    return portable_form(operation, weights.reshape(weights.shape[0], -1), weights, border=border)


class PointwisePortable(Kernel):
    """A 1x1 window: the image is one long row of pixels."""

    name = "pointwise_portable"
    granularities = (Granularity.WHOLE, Granularity.ROW)

    def supports(self, operation: Operation, board: Board) -> bool:
        """One group, a 1x1 window, stride 1."""
        channels, depth = operation.input(0).shape[3], operation.input(1).shape[3]
        return convolution_window(operation).is_pointwise and channels == depth

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `portable_cost`."""
        return portable_cost(operation, operation.input(1).shape[3])

    def step_pixels(self, operation: Operation) -> int:
        """One after the other."""
        return 1

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/pointwise_portable.c.j2`."""
        out_channels, _, _, in_channels = operation.input(1).shape
        rows, row_elements = row_shape(operation.output.shape)
        pixels = row_elements // out_channels * (rows if granularity is Granularity.WHOLE else 1)
        form = _form(operation, border=False)
        return KernelCode(
            template="conv_2d/pointwise_portable.c.j2",
            parameters={
                **form.holes,
                "pixels": pixels,
                "in_channels": in_channels,
                "out_channels": out_channels,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=form.constants,
            arguments=form.arguments,
            runtime=form.runtime,
        )


class WindowPortable(Kernel):
    """Any window, stride, dilation and number of groups, from row pointers."""

    name = "window_portable"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `portable_cost`; windows at the border and short runs cost a little more than a pointwise kernel."""
        _, rows, columns, depth = operation.input(1).shape
        cost = portable_cost(operation, rows * columns * depth)
        return Cost(cost.cycles * 5 // 4, cost.flash_bytes)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/window_portable.c.j2`."""
        assert granularity is Granularity.ROW
        form = _form(operation, border=True)
        in_channels = operation.input(0).shape[3]
        parameters: dict[str, Parameter] = {
            **form.holes,
            **window_parameters(operation),
            **image_parameters(operation),
            "in_channels": in_channels,
            "out_channels": operation.output.shape[3],
            "groups": in_channels // operation.input(1).shape[3],
        }
        return KernelCode(
            template="conv_2d/window_portable.c.j2",
            parameters=parameters,
            granularity=granularity,
            inputs=((0, Passing.WINDOW), *form.inputs),
            constants=form.constants,
            arguments=form.arguments,
            runtime=form.runtime,
            takes_row=bool(parameters["takes_row"]),
        )


def image_parameters(operation: Operation) -> dict[str, Parameter]:
    """Holes of a template that may need the index of a row's image: where images were quantized each by its own range."""
    takes_row = operation.output.dtype is DType.FLOAT32 and operation.images > 1
    return {"takes_row": takes_row, "rows_per_image": operation.rows // operation.images}


def window_parameters(operation: Operation) -> dict[str, Parameter]:
    """Holes of a template that computes one output row from row pointers."""
    window = convolution_window(operation)
    return {
        "in_width": window.columns.in_extent,
        "out_width": window.columns.out_extent,
        "window_rows": window.rows.taps,
        "window_columns": window.columns.taps,
        "stride_columns": window.columns.stride,
        "dilation_columns": window.columns.dilation,
        "pad_left": window.columns.pad_before,
    }
