"""What people are told of a stage: names, shapes, work and cost, for comments, traces and reports."""

from collections.abc import Mapping
from dataclasses import dataclass

from tinycompile.program.convention import Parameter, RowFormat

NAME_CHARACTERS = 60


def short_name(name: str) -> str:
    """A tensor's name for people: converters join the names of everything they fused, of which the first one says enough."""
    first = name.split(";")[0]
    return first if len(first) <= NAME_CHARACTERS else "..." + first[3 - NAME_CHARACTERS :]


@dataclass(frozen=True)
class Layer:
    """What comments, traces and reports say of a stage."""

    index: int
    op: str
    name: str
    source_ops: tuple[int, ...]
    kernel: str
    macs: int
    macs_executed: int
    zero_weights: int
    """Weights that are zero; the kernel multiplies by them unless `macs_executed` says that it does not."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    output_tensors: tuple[int | None, ...]
    """Index in the file of the tensor that each output holds, None where a pass made it."""
    output_channels: tuple[tuple[int, ...] | None, ...]
    """Channels of that tensor that are left, None: all."""
    output_shapes: tuple[tuple[int, ...], ...]
    output_dtypes: tuple[str, ...]
    output_formats: tuple[RowFormat, ...]
    """How the rows of each output lie in memory."""
    scratch_bytes: int
    arena_bytes: int
    """Arena bytes in use while the layer runs."""
    weights_bytes: int
    estimated_cycles: int
    estimated_flash_bytes: int
    alternatives: tuple[Mapping[str, Parameter], ...] = ()

    @property
    def short_name(self) -> str:
        """The name for comments."""
        return short_name(self.name)
