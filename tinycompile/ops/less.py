"""LESS: a < b, see `_comparison.py`."""

import operator

from tinycompile.ops._comparison import INT16, ORDERED, Comparison
from tinycompile.ops.base import register


@register
class Less(Comparison):
    """LESS with broadcasting."""

    kind = "LESS"
    compare = operator.lt
    types = (*ORDERED, *INT16)
