"""Kernels that multiply contiguous int8 vectors with several channels at a time, for processors with SMLAD.

FULLY_CONNECTED, and convolutions whose pixels are too large to be staged as int16.
"""

from tinycompile.board import Board
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._conv_2d_portable import window_parameters
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._dsp import DSP_RUNTIME, SCRATCH_LIMIT_BYTES, Channels, may_pair, pack_blocks, scaling_of
from tinycompile.ops._fully_connected import matrix_channels
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing


def vector_cost(vectors: int, depth: int, channels: int) -> Cost:
    """Instructions of the inner loop and of requantization, taken as cycles."""
    blocks = (channels + 7) // 8
    cycles = vectors * (channels * (depth * 0.87 + 12) + blocks * depth * 1.1 + 50)
    return Cost(int(cycles), (depth + 1) // 2 * 2 * channels + 16 * channels)


def _packed(channels: Channels) -> tuple[dict[str, Parameter], tuple[Constant, Constant]]:
    """Holes of `macros/vector.j2`, and the constants."""
    paired, scaling = may_pair(channels.weights), scaling_of(channels)
    width = 8 if paired else 6  # a further register is needed to unpack words that are not paired
    parameters: dict[str, Parameter] = {
        "width": width,
        "paired": paired,
        "mode": scaling.mode,
        "low": scaling.low,
        "high": scaling.high,
    }
    words = pack_blocks(channels.weights, paired, width)
    constants = (
        Constant("weights", words, "two channels a word, blocks of channels", align=8),
        Constant("channels", scaling.channels, "constants of requantization", align=8),
    )
    return parameters, constants


class FullyConnectedDsp(Kernel):
    """Any depth, number of units and batch; weights without a zero point."""

    name = "fully_connected_dsp"

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, symmetric weights."""
        return board.dsp and operation.input(1).zero_point == 0

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `vector_cost`."""
        units, depth = operation.input(1).shape
        return vector_cost(operation.output.elements // units, depth, units)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `fully_connected/dsp.c.j2`."""
        units, depth = operation.input(1).shape
        parameters, constants = _packed(matrix_channels(operation))
        return KernelCode(
            template="fully_connected/dsp.c.j2",
            parameters={
                **parameters,
                "vectors": operation.output.elements // units,
                "depth": depth,
                "units": units,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=constants,
            runtime=DSP_RUNTIME,
        )


class PointwiseVectorDsp(Kernel):
    """CONV_2D with a 1x1 window and stride 1, each pixel a vector; needs no scratch."""

    name = "pointwise_vector_dsp"
    granularities = (Granularity.WHOLE, Granularity.ROW)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, one group, a 1x1 window."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        return board.dsp and one_group and convolution_window(operation).is_pointwise

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `vector_cost`."""
        channels, _, _, depth = operation.input(1).shape
        return vector_cost(operation.output.elements // channels, depth, channels)

    def step_pixels(self, operation: Operation) -> int:
        """One after the other."""
        return 1

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `fully_connected/dsp.c.j2`."""
        channels, _, _, depth = operation.input(1).shape
        rows, row_elements = row_shape(operation.output.shape)
        pixels = row_elements // channels * (rows if granularity is Granularity.WHOLE else 1)
        parameters, constants = _packed(convolution_channels(operation))
        return KernelCode(
            template="fully_connected/dsp.c.j2",
            parameters={**parameters, "vectors": pixels, "depth": depth, "units": channels},
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=constants,
            runtime=DSP_RUNTIME,
        )


class WindowVectorDsp(Kernel):
    """CONV_2D with any window: each pixel's window is copied to the scratch as int8."""

    name = "window_vector_dsp"
    granularities = (Granularity.ROW,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, one group, a window that fits the scratch."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        return board.dsp and one_group and self.scratch_bytes(operation, board) <= SCRATCH_LIMIT_BYTES

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `vector_cost`; the copy takes about one instruction for each byte."""
        channels, rows, columns, depth = operation.input(1).shape
        pixels, taps = operation.output.elements // channels, rows * columns * depth
        cost = vector_cost(pixels, taps, channels)
        return Cost(cost.cycles + pixels * (taps + 30 * rows), cost.flash_bytes)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """One window of int8."""
        _, rows, columns, depth = operation.input(1).shape
        return (rows * columns * depth + 3) // 4 * 4

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/window_vector_dsp.c.j2`."""
        parameters, constants = _packed(convolution_channels(operation))
        return KernelCode(
            template="conv_2d/window_vector_dsp.c.j2",
            parameters={
                **parameters,
                **window_parameters(operation),
                "in_channels": operation.input(0).shape[3],
                "out_channels": operation.output.shape[3],
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=constants,
            arguments=(operation.input(0).zero_point,),
            scratch_bytes=self.scratch_bytes(operation, board),
            runtime=DSP_RUNTIME,
        )
