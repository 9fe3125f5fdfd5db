"""SUB against the reference."""

from tests.ops.elementwise import binary_cases
from tests.ops.matrix import OperatorMatrix


class TestSub(OperatorMatrix):
    cases = binary_cases("SUB", lambda first, second: first + second)
