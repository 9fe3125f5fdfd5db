"""Options and limits of operators that work along one axis of equal tensors."""

from dataclasses import dataclass

from tinycompile.ir import Attributes, Options
from tinycompile.ops.base import Operation


@dataclass(frozen=True)
class AxisAttributes(Attributes):
    """The axis, negative ones counted from the end."""

    axis: int = 0

    @classmethod
    def parse(cls, options: Options) -> "AxisAttributes":
        """Read the field `axis`."""
        return cls(int(options.get("axis", 0)))


def axis_option(operation: Operation, rank: int) -> int:
    """The axis of the options, 0 <= axis < rank."""
    attributes = operation.node.attributes
    assert isinstance(attributes, AxisAttributes)
    return attributes.axis % rank


def axis_problem(axis: int, rank: int) -> str | None:
    """Names an axis outside of -rank..rank - 1."""
    return None if -rank <= axis < rank else f"axis {axis} of {rank} dimensions"


def raw_axis(operation: Operation) -> int:
    """The axis as the file has it."""
    attributes = operation.node.attributes
    assert isinstance(attributes, AxisAttributes)
    return attributes.axis


def along(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    """The index that takes start..stop of one axis and all of those before it."""
    return (*(slice(None),) * axis, slice(start, stop))
