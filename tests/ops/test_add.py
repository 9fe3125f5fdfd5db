"""ADD against the reference."""

from tests.ops.elementwise import binary_cases
from tests.ops.matrix import OperatorMatrix


class TestAdd(OperatorMatrix):
    cases = binary_cases("ADD", lambda first, second: first + second)
