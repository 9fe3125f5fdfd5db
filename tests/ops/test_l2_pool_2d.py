"""L2_POOL_2D against the reference."""

from tests.ops.matrix import OperatorMatrix
from tests.ops.pooling import float_pool_cases


class TestL2Pool2D(OperatorMatrix):
    cases = float_pool_cases("L2_POOL_2D")
