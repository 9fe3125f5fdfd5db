"""REDUCE_ANY: true where any element is, see `_plain_reduce.py`."""

import numpy as np

from tinycompile.ir import DType
from tinycompile.ops._plain_reduce import PlainReduction, reduce_types
from tinycompile.ops.base import register


@register
class ReduceAny(PlainReduction):
    """REDUCE_ANY over constant axes."""

    kind = "REDUCE_ANY"
    types = reduce_types(DType.BOOL)
    function = np.logical_or
    form_name = "any"
