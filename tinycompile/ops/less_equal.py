"""LESS_EQUAL: a <= b, see `_comparison.py`."""

import operator

from tinycompile.ops._comparison import Comparison
from tinycompile.ops.base import register


@register
class LessEqual(Comparison):
    """LESS_EQUAL with broadcasting."""

    kind = "LESS_EQUAL"
    compare = operator.le
