"""SPACE_TO_DEPTH: blocks of pixels become blocks of channels.

Source of the semantics: tensorflow/lite/kernels/internal/reference/space_to_depth.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array
from tinycompile.ops._blocks import BlockMovement, block_of, equal_views
from tinycompile.ops._copy import CopyKernel, Views
from tinycompile.ops._limits import has_elements, rank_limit
from tinycompile.ops.base import Operation, register


def has_whole_blocks(operation: Operation) -> str | None:
    """Rows and columns are multiples of the block size."""
    source, block = operation.inputs[0], block_of(operation)
    if source is None or len(source.shape) != 4:
        return None
    whole = block > 0 and source.shape[1] % block == 0 and source.shape[2] % block == 0
    return None if whole else f"block size {block} of {source.describe()}"


@register
class SpaceToDepth(BlockMovement):
    """SPACE_TO_DEPTH."""

    kind = "SPACE_TO_DEPTH"
    limits = (has_elements, rank_limit(4), has_whole_blocks)
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, b * H, b * W, C] gives [N, H, W, b * b * C]."""
        (n, h, w, c), b = operation.input(0).shape, block_of(operation)
        return ((n, h // b, w // b, c * b * b),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Pixels split into [H, b] and [W, b] go to channels split into [b, b, C]."""
        return [equal_views(block_of(operation), outputs[0], inputs[0])]
