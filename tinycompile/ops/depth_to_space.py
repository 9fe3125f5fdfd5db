"""DEPTH_TO_SPACE: blocks of channels become blocks of pixels.

Source of the semantics: tensorflow/lite/kernels/internal/reference/depth_to_space.h.
"""

from collections.abc import Sequence

from tinycompile.board import Board
from tinycompile.ir import Array
from tinycompile.ops._blocks import BlockMovement, block_of, equal_views
from tinycompile.ops._copy import Views
from tinycompile.ops._limits import has_elements, rank_limit
from tinycompile.ops.access import Access, Pattern
from tinycompile.ops.base import Cost, Kernel, Operation, register
from tinycompile.program import Granularity, KernelCode, Passing


def has_whole_blocks(operation: Operation) -> str | None:
    """Channels are a multiple of the square of the block size."""
    source, block = operation.inputs[0], block_of(operation)
    if source is None or len(source.shape) != 4:
        return None
    whole = block > 0 and source.shape[3] % (block * block) == 0
    return None if whole else f"block size {block} of {source.describe()}"


class DepthToSpaceRow(Kernel):
    """An output row: of each pixel of an input row the channels that are pixels of that row lie next to each other."""

    name = "row"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Runs of so many pixels as a block has columns, three bytes a cycle."""
        pixels, block = operation.output.elements // operation.output.shape[3], block_of(operation)
        run_bytes = block * operation.output.shape[3] * operation.output.dtype.element_bytes
        return Cost(pixels // block * (6 + run_bytes // 3), 100)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `depth_to_space/row.c.j2`."""
        return KernelCode(
            template="depth_to_space/row.c.j2",
            parameters={
                "c_type": operation.output.dtype.c_type,
                "width": operation.input(0).shape[2],
                "block": block_of(operation),
                "channels": operation.output.shape[3],
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            takes_row=True,
        )


@register
class DepthToSpace(BlockMovement):
    """DEPTH_TO_SPACE."""

    kind = "DEPTH_TO_SPACE"
    limits = (has_elements, rank_limit(4), has_whole_blocks)
    kernels = (DepthToSpaceRow(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, b * b * C] gives [N, b * H, b * W, C]."""
        (n, h, w, c), b = operation.input(0).shape, block_of(operation)
        return ((n, h * b, w * b, c // (b * b)),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Channels split into [b, b, C] go to pixels split into [H, b] and [W, b]."""
        channels, pixels = equal_views(block_of(operation), inputs[0], outputs[0])
        return [(pixels, channels)]

    def access(self, operation: Operation, index: int) -> Access:
        """All rows of a block come from one."""
        return Access(Pattern.WINDOW, repeat=block_of(operation))
