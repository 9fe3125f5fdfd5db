"""How the output of a step may lie over an input that dies there."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinycompile.ops import POINTWISE, Access, Operation, Pattern, operator_of, row_shape
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


def kernel_overlaps(current: Operation, kernel: Candidate, reads: Sequence[int]) -> tuple[Overlap, ...]:
    """What a kernel that computes all at once promises: to work in place, or pixels in order, or rows in order."""
    if kernel.in_place and len(reads) == 1:
        return (Overlap(reads[0], output_storage(current), exact=True),)
    return _pixel_overlaps(current, kernel, reads) + _row_overlaps(current, kernel, reads)


def _pixel_overlaps(current: Operation, kernel: Candidate, reads: Sequence[int]) -> tuple[Overlap, ...]:
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


def _row_overlaps(current: Operation, kernel: Candidate, reads: Sequence[int]) -> tuple[Overlap, ...]:
    """The overlap of a kernel that goes through all rows in order (see `Kernel.step_rows`)."""
    if not kernel.step_rows or len(reads) != 1:
        return ()
    (in_rows, in_elements), (rows, elements) = (
        row_shape(current.input(0).shape),
        row_shape(current.output.shape),
    )
    in_bytes, out_bytes = (
        count * tensor.dtype.element_bytes
        for count, tensor in ((in_elements, current.input(0)), (elements, current.output))
    )
    access = operator_of(current.node).access(current, 0)
    # Rows are written up to `end` while those behind the last window are still to be read.
    ends = [min(start + kernel.step_rows, rows) for start in range(0, rows, kernel.step_rows)]
    ahead = [
        end * out_bytes - (access.need(end - 1, in_rows, rows, current.images)[1] + 1) * in_bytes
        for end in ends
    ]
    return (Overlap(reads[0], output_storage(current), max(ahead)),)


def output_storage(current: Operation) -> int:
    """The storage that an operation writes first."""
    return current.node.outputs[0]


def _is_pointwise(current: Operation) -> bool:
    """True when input 0 is the only activation and each pixel of the output needs the pixel at its place alone."""
    activations = [tensor for tensor in current.inputs if tensor is not None and not tensor.is_constant]
    access = operator_of(current.node).access(current, 0)
    row_by_row = access in (POINTWISE, Access(Pattern.WINDOW))
    return len(activations) == 1 and current.inputs[0] is activations[0] and row_by_row
