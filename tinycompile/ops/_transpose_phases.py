"""The phases of a transposed convolution: with stride s every s-th row and column is a convolution of its own, of stride 1.

Output index y takes the taps k with y + pad = i * s + k, so only those with k mod s = (y + pad) mod s; beside each other in the
image, the later the tap the earlier the pixel. Where the number of taps is a multiple of the stride all phases have the same
window: then columns of all phases are channels of one convolution, as they lie next to each other in the output.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array
from tinycompile.ops._window import WindowAxis
from tinycompile.ops.access import Access, Pattern


@dataclass(frozen=True)
class Phase:
    """Outputs of one axis that have a window in common: `count` windows of `taps` pixels, `first_input` the first one's start.

    `kernels` are the first taps of the phases that are computed together, for outputs from `first_output` on, next to each other.
    """

    kernels: tuple[int, ...]
    first_output: int
    count: int
    taps: int
    first_input: int

    def window(self, extent: int) -> WindowAxis:
        """The phase as a convolution along an axis of the image."""
        return WindowAxis(extent, self.count, self.taps, 1, 1, -self.first_input)


def phases_of(axis: WindowAxis, joined: bool = False) -> tuple[Phase, ...]:
    """The phases of an axis of a transposed convolution (of the convolution that leads back to the image), without empty ones.

    `joined`: as one, where they have the same window and outputs are whole groups of them.
    """
    same = axis.taps % axis.stride == 0 and axis.pad_before % axis.stride == 0
    if joined and same and axis.in_extent % axis.stride == 0:
        firsts = [tuple(range(axis.stride))]
    else:
        firsts = [(first,) for first in range(axis.stride)]
    made = (_phase(axis, kernels) for kernels in firsts)
    return tuple(phase for phase in made if phase.count > 0)


def _phase(axis: WindowAxis, kernels: tuple[int, ...]) -> Phase:
    first_output = (kernels[0] - axis.pad_before) % axis.stride
    taps = -(-(axis.taps - kernels[0]) // axis.stride)
    last_input = (first_output + axis.pad_before) // axis.stride
    count = -(-(axis.in_extent - first_output) // axis.stride)
    return Phase(kernels, first_output, count, taps, last_input - taps + 1)


def access_of(rows: WindowAxis) -> Access:
    """Rows of the image that an output row needs: the last one is (y + pad) / s, the others precede it."""
    window_rows = -(-rows.taps // rows.stride)
    ahead, lead = divmod(rows.pad_before, rows.stride)
    return Access(Pattern.WINDOW, window_rows, 1, 1, window_rows - 1 - ahead, rows.stride, lead)


def phase_filters(filters: Array, rows: Phase, columns: Phase, strides: Sequence[int]) -> Array:
    """The filters of the convolution that two phases are, from OHWI ones: [phases of columns * channels, taps]."""
    stride_rows, stride_columns = strides
    of_rows = filters[:, rows.kernels[0] :: stride_rows][:, ::-1]
    parts = [of_rows[:, :, first::stride_columns][:, :, ::-1] for first in columns.kernels]
    stacked: Array = np.concatenate([part.reshape(len(filters), -1) for part in parts])
    return stacked
