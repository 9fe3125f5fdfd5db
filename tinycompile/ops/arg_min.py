"""ARG_MIN: the place of the least element along an axis, see `_arg.py`."""

from tinycompile.ops._arg import Arg
from tinycompile.ops.base import register


@register
class ArgMin(Arg):
    """ARG_MIN along a constant axis."""

    kind = "ARG_MIN"
