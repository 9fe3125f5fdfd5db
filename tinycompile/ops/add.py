"""ADD: the sum of two tensors, see `_addition.py`."""

from tinycompile.ops._addition import Addition
from tinycompile.ops.base import register


@register
class Add(Addition):
    """ADD with broadcasting and a fused activation."""

    kind = "ADD"
