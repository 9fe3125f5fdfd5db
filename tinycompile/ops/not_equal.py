"""NOT_EQUAL: a is not b, see `_comparison.py`."""

import operator

from tinycompile.ops._comparison import ANY, Comparison
from tinycompile.ops.base import register


@register
class NotEqual(Comparison):
    """NOT_EQUAL with broadcasting."""

    kind = "NOT_EQUAL"
    compare = operator.ne
    types = ANY
