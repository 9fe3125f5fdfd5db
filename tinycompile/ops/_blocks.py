"""What DEPTH_TO_SPACE and SPACE_TO_DEPTH share: the block size, and the pixels and channels that belong together."""

from dataclasses import dataclass

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._copy import DataMovement, moves_type
from tinycompile.ops.base import Operation


@dataclass(frozen=True)
class BlockAttributes(Attributes):
    """Rows and columns of a block."""

    block_size: int = 0


class BlockMovement(DataMovement):
    """Moves pixels of blocks to channels, or back."""

    types = moves_type(without=(DType.BOOL, DType.INT16))

    def parse(self, options: Options) -> BlockAttributes:
        """Read the field `block_size`."""
        return BlockAttributes(int(options.get("block_size", 0)))


def block_of(operation: Operation) -> int:
    """The block size."""
    assert isinstance(operation.node.attributes, BlockAttributes)
    return operation.node.attributes.block_size


def equal_views(block: int, deep: Array, wide: Array) -> tuple[Array, Array]:
    """[N, H, W, b * b * C] and [N, b * H, b * W, C] as [N, H, W, b, b, C]: the same elements in the same places."""
    n, h, w, channels = deep.shape
    c = channels // (block * block)
    pixels = wide.reshape(n, h, block, w, block, c).transpose(0, 1, 3, 2, 4, 5)
    return deep.reshape(n, h, w, block, block, c), pixels
