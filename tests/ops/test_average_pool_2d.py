"""AVERAGE_POOL_2D against the reference."""

from tests.ops.matrix import OperatorMatrix
from tests.ops.pooling import pool_cases


class TestAveragePool2D(OperatorMatrix):
    cases = pool_cases("AVERAGE_POOL_2D")
