"""Read-only data of a program, and what its variables begin with."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from tinycompile.program.convention import C_TYPES


@dataclass(frozen=True, eq=False)
class Constant:
    """Read-only data: packed weights, biases, requantization constants, tables. Printed as a C array."""

    name: str
    values: NDArray[Any]
    comment: str = ""
    align: int = 4
    is_weight: bool = True
    """Weights sit in their own section and file; small tables that belong to code may say False."""

    @property
    def c_type(self) -> str:
        """C99 type of one element."""
        return C_TYPES[self.values.dtype.name]

    @property
    def bytes(self) -> int:
        """Bytes in flash."""
        return int(self.values.nbytes)


@dataclass(frozen=True)
class StateValue:
    """What `NAME_init` gives a variable: one byte everywhere, or the bytes of a constant when `fill` is None."""

    name: str
    offset: int
    bytes: int
    fill: int | None
    constant: str = ""
