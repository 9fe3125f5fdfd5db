"""REDUCE_ALL: true where all elements are, see `_plain_reduce.py`."""

import numpy as np

from tinycompile.ir import DType
from tinycompile.ops._plain_reduce import PlainReduction, reduce_types
from tinycompile.ops.base import register


@register
class ReduceAll(PlainReduction):
    """REDUCE_ALL over constant axes."""

    kind = "REDUCE_ALL"
    types = reduce_types(DType.BOOL)
    function = np.logical_and
    form_name = "all"
