"""ADD against the reference."""

from types import MappingProxyType

from tests.ops.elementwise import binary_cases
from tests.ops.matrix import OperatorMatrix


class TestAdd(OperatorMatrix):
    cases = binary_cases("ADD", lambda first, second: first + second)
    tflm_differs = MappingProxyType({"int32_relu6": "TFLM ignores the activation of an int32 ADD"})
