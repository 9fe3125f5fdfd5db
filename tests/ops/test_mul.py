"""MUL against the reference."""

from tests.ops.elementwise import binary_cases
from tests.ops.matrix import OperatorMatrix


class TestMul(OperatorMatrix):
    cases = binary_cases("MUL", lambda first, second: first * second * 110)
