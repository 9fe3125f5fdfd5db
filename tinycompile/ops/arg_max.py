"""ARG_MAX: the place of the greatest element along an axis, see `_arg.py`."""

from tinycompile.ops._arg import Arg
from tinycompile.ops.base import register


@register
class ArgMax(Arg):
    """ARG_MAX along a constant axis."""

    kind = "ARG_MAX"
