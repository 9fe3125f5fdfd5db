"""The option of DEPTH_TO_SPACE and SPACE_TO_DEPTH."""

from dataclasses import dataclass

from tinycompile.ir import Attributes, Options
from tinycompile.ops.base import Operation


@dataclass(frozen=True)
class BlockAttributes(Attributes):
    """Rows and columns of a block."""

    block_size: int = 0

    @classmethod
    def parse(cls, options: Options) -> "BlockAttributes":
        """Read the field `block_size`."""
        return cls(int(options.get("block_size", 0)))


def block_of(operation: Operation) -> int:
    """The block size."""
    assert isinstance(operation.node.attributes, BlockAttributes)
    return operation.node.attributes.block_size
