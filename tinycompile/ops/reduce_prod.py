"""REDUCE_PROD: the product over some axes, see `_plain_reduce.py`."""

import numpy as np

from tinycompile.ir import DType
from tinycompile.ops._plain_reduce import PlainReduction, reduce_types
from tinycompile.ops.base import register


@register
class ReduceProd(PlainReduction):
    """REDUCE_PROD over constant axes."""

    kind = "REDUCE_PROD"
    types = reduce_types(DType.INT32, DType.INT64, DType.FLOAT32)
    function = np.multiply
    form_name = "product"
