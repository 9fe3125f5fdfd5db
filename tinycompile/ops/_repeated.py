"""An operand of few elements beside one of the output's shape: one for each channel, or a single one."""

from dataclasses import dataclass

from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Operation

_LARGEST_OFFSET = 4095
"""How far behind its pointer a load or store may reach."""
_SHORT_ROW = 3
"""Pixels of a row of which fewer take longer by a call for four channels than in C."""
_PIXELS = (4, 3, 2, 1)


@dataclass(frozen=True)
class Repeated:
    """Which operand it is, and how many of its elements follow each other: a single one counts as four alike."""

    index: int
    channels: int
    single: bool

    @property
    def together(self) -> tuple[int, ...]:
        """Numbers of pixels whose words are in the reach of one pointer, the greatest first."""
        return tuple(n for n in _PIXELS if (n - 1) * self.channels + 3 <= _LARGEST_OFFSET)


def repeated_operand(operation: Operation) -> Repeated | None:
    """The operand, for kernels that keep four of its elements while the pixels pass; None when it is none or rows are short."""
    shape = operation.output.shape
    rows, row_elements = row_shape(shape)
    for index in (0, 1):
        other = operation.input(index)
        if operation.input(1 - index).shape != shape or other.shape == shape:
            continue
        single = other.elements == 1
        if not single and (other.elements != shape[-1] or other.shape[-1:] != shape[-1:]):
            return None
        channels = 4 if single else shape[-1]
        long = row_elements >= (_SHORT_ROW if rows > 1 else 1) * channels
        return Repeated(index, channels, single) if 4 <= channels <= _LARGEST_OFFSET and long else None
    return None
