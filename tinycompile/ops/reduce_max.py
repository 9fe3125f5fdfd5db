"""REDUCE_MAX: the greatest element over some axes, see `_plain_reduce.py`."""

import numpy as np

from tinycompile.ir import DType
from tinycompile.ops._plain_reduce import PlainReduction, reduce_types
from tinycompile.ops.base import register


@register
class ReduceMax(PlainReduction):
    """REDUCE_MAX over constant axes."""

    kind = "REDUCE_MAX"
    types = reduce_types(DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)
    function = np.maximum
    form_name = "maximum"
