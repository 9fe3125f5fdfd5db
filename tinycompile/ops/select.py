"""SELECT: choose element by element, see `_select.py`; all operands have one shape."""

from tinycompile.ops._select import Selection
from tinycompile.ops.base import Operation, register


def has_one_shape(operation: Operation) -> str | None:
    """All three inputs have one shape."""
    shapes = {tensor.shape for tensor in operation.inputs if tensor is not None}
    return None if len(shapes) == 1 else f"shapes {sorted(shapes)}"


@register
class Select(Selection):
    """SELECT."""

    kind = "SELECT"
    limits = (*Selection.limits, has_one_shape)
