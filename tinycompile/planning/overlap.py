"""How the output of a step may lie over an input that dies there."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinycompile.ops import POINTWISE, Access, Operation, Pattern, operator_of
from tinycompile.plan import Candidate


@dataclass(frozen=True)
class Overlap:
    """A written storage may lie over a read one that dies: `written + lead_bytes <= read`.

    `backward`: rows are computed from the last to the first, and `read + lead_bytes <= written`. `exact`: only at equal
    offsets.
    """

    read: int
    written: int
    lead_bytes: int = 0
    exact: bool = False
    backward: bool = False

    def joint_bytes(self, read_bytes: int, written_bytes: int) -> int:
        """Bytes that the two storages take together, at their best."""
        low, high = (read_bytes, written_bytes) if self.backward else (written_bytes, read_bytes)
        return min(low + high, max(self.lead_bytes + high, low))


def pixel_overlaps(current: Operation, kernel: Candidate, reads: Sequence[int]) -> tuple[Overlap, ...]:
    """The overlap of a pointwise operator whose kernel goes through all pixels in order (see `Kernel.step_pixels`)."""
    if not kernel.step_pixels or len(reads) != 1 or not _is_pointwise(current):
        return ()
    source, output = current.input(0), current.output
    pixels = output.elements // output.shape[-1]
    in_bytes, out_bytes = source.bytes // pixels, output.bytes // pixels
    step = min(kernel.step_pixels, pixels)
    # After `ends` pixels are written; steps may be shorter than promised. Both lines are greatest at one of their ends.
    if kernel.stages_steps:
        lead = max(ends * (out_bytes - in_bytes) for ends in (1, pixels))
    else:
        lead = max(ends * out_bytes - (ends - step) * in_bytes for ends in (step, pixels))
    return (Overlap(reads[0], output_storage(current), lead),)


def output_storage(current: Operation) -> int:
    """The storage that an operation writes first."""
    return current.node.outputs[0]


def _is_pointwise(current: Operation) -> bool:
    """True when input 0 is the only activation and each pixel of the output needs the pixel at its place alone."""
    activations = [tensor for tensor in current.inputs if tensor is not None and not tensor.is_constant]
    access = operator_of(current.node).access(current, 0)
    row_by_row = access in (POINTWISE, Access(Pattern.WINDOW))
    return len(activations) == 1 and current.inputs[0] is activations[0] and row_by_row
