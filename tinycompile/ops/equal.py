"""EQUAL: a = b, see `_comparison.py`."""

import operator

from tinycompile.ops._comparison import ANY, INT16, Comparison
from tinycompile.ops.base import register


@register
class Equal(Comparison):
    """EQUAL with broadcasting."""

    kind = "EQUAL"
    compare = operator.eq
    types = (*ANY, *INT16)
