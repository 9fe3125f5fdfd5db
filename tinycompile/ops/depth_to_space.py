"""DEPTH_TO_SPACE: blocks of channels become blocks of pixels.

Source of the semantics: tensorflow/lite/kernels/internal/reference/depth_to_space.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._blocks import BlockAttributes, block_of
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops._limits import has_elements, rank_limit
from tinycompile.ops.base import Operation, register


def has_whole_blocks(operation: Operation) -> str | None:
    """Channels are a multiple of the square of the block size."""
    source, block = operation.inputs[0], block_of(operation)
    if source is None or len(source.shape) != 4:
        return None
    whole = block > 0 and source.shape[3] % (block * block) == 0
    return None if whole else f"block size {block} of {source.describe()}"


@register
class DepthToSpace(DataMovement):
    """DEPTH_TO_SPACE."""

    kind = "DEPTH_TO_SPACE"
    types = moves_type(without=(DType.BOOL, DType.INT16))
    limits = (has_elements, rank_limit(4), has_whole_blocks)
    kernels = (CopyKernel(),)

    def parse(self, options: Options) -> BlockAttributes:
        """Read DepthToSpaceOptions."""
        return BlockAttributes.parse(options)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, b * b * C] gives [N, b * H, b * W, C]."""
        (n, h, w, c), b = operation.input(0).shape, block_of(operation)
        return ((n, h * b, w * b, c // (b * b)),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Channels split into [b, b, C] go to pixels split into [H, b] and [W, b]."""
        (n, h, w, c), b = inputs[0].shape, block_of(operation)
        pixels, channels = (
            outputs[0].reshape(n, h, b, w, b, c // (b * b)),
            inputs[0].reshape(n, h, w, b, b, c // (b * b)),
        )
        return [(pixels.transpose(0, 1, 3, 2, 4, 5), channels)]
