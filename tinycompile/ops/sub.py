"""SUB: the difference of two tensors, see `_addition.py`."""

from tinycompile.ops._addition import Addition
from tinycompile.ops.base import register


@register
class Sub(Addition):
    """SUB with broadcasting and a fused activation."""

    kind = "SUB"
