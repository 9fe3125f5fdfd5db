"""GREATER_EQUAL: a >= b, see `_comparison.py`."""

import operator

from tinycompile.ops._comparison import INT16, ORDERED, Comparison
from tinycompile.ops.base import register


@register
class GreaterEqual(Comparison):
    """GREATER_EQUAL with broadcasting."""

    kind = "GREATER_EQUAL"
    compare = operator.ge
    types = (*ORDERED, *INT16)
