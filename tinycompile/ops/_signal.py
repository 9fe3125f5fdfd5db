"""What the operators of TFLM's audio front end share (custom operators `Signal*`, signal/ in tflite-micro).

Their options are FlexBuffer maps. `T`, which some have, repeats the type of the tensors and is not needed.
"""

from tinycompile.ir import Options
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import CustomOperator, Operation


def integer_option(options: Options, name: str) -> int:
    """An option that must be there. Raises ValueError when it is not, or is no number of 32 bits."""
    value = options.get(name)
    if not isinstance(value, int) or not -(1 << 31) <= value < 1 << 31:
        raise ValueError(f"option {name} is {value!r}, a number of 32 bits is needed")
    return int(value)


class SignalOperator(CustomOperator):
    """Base of these operators, which compute vectors all at once."""

    def access(self, operation: Operation, index: int) -> Access:
        """Any element may depend on all others."""
        return WHOLE


def is_vector(operation: Operation) -> str | None:
    """The first input has one dimension."""
    source = operation.inputs[0]
    if source is None:
        return "input 0 is missing"
    return None if len(source.shape) == 1 else f"it is {source.describe()}"


def has_dimension(operation: Operation) -> str | None:
    """The first input has at least one dimension."""
    source = operation.inputs[0]
    if source is None:
        return "input 0 is missing"
    return None if source.shape else f"it is {source.describe()}"
