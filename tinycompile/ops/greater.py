"""GREATER: a > b, see `_comparison.py`."""

import operator

from tinycompile.ops._comparison import Comparison
from tinycompile.ops.base import register


@register
class Greater(Comparison):
    """GREATER with broadcasting."""

    kind = "GREATER"
    compare = operator.gt
