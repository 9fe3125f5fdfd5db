"""What RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR share: options, limits, shapes."""

from dataclasses import dataclass

from tinycompile.ir import Attributes, Options
from tinycompile.ops._limits import constant_integers
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator


@dataclass(frozen=True)
class ResizeAttributes(Attributes):
    """Options of a resize."""

    align_corners: bool = False
    half_pixel_centers: bool = False


def has_positive_size(operation: Operation) -> str | None:
    """The size has two positive elements, rows and columns."""
    size = constant_integers(operation, 1)
    return None if size is None or (len(size) == 2 and min(size) > 0) else f"size {size}"


def has_one_alignment(operation: Operation) -> str | None:
    """Not both of align_corners and half_pixel_centers are set."""
    found = attributes_of(operation)
    return "both are set" if found.align_corners and found.half_pixel_centers else None


class Resize(Operator):
    """Base of the two operators."""

    min_inputs = 2

    def parse(self, options: Options) -> ResizeAttributes:
        """Read the fields that the two option tables share."""
        return ResizeAttributes(
            bool(options.get("align_corners", False)), bool(options.get("half_pixel_centers", False))
        )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] gives [N, rows, columns, C]."""
        images, _, _, channels = operation.input(0).shape
        rows, columns = (int(extent) for extent in operation.input(1).values.reshape(-1))
        return ((images, rows, columns, channels),)

    def access(self, operation: Operation, index: int) -> Access:
        """Rows near the same relative place; taken as all of them."""
        return WHOLE


def attributes_of(operation: Operation) -> ResizeAttributes:
    """The options."""
    assert isinstance(operation.node.attributes, ResizeAttributes)
    return operation.node.attributes
