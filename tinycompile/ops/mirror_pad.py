"""MIRROR_PAD: the input's own elements around it, reflected with (SYMMETRIC) or without (REFLECT) its border.

Source of the semantics: tensorflow/lite/kernels/mirror_pad.cc.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops._limits import constant_input, has_elements
from tinycompile.ops._padding import has_padding_pairs, padded_shape, paddings
from tinycompile.ops.base import Operation, register


@dataclass(frozen=True)
class MirrorPadAttributes(Attributes):
    """Options of a mirrored padding; `border` is 1 when the border itself is not repeated."""

    border: int = 1


def has_short_paddings(operation: Operation) -> str | None:
    """No padding is longer than what it reflects."""
    if has_padding_pairs(operation) or operation.inputs[0] is None or not operation.input(1).is_constant:
        return None
    border = _border(operation)
    pairs = zip(operation.input(0).shape, paddings(operation), strict=True)
    fits = all(max(before, after) <= extent - border for extent, (before, after) in pairs)
    return None if fits else f"paddings {paddings(operation)} of {operation.input(0).describe()}"


@register
class MirrorPad(DataMovement):
    """MIRROR_PAD with constant paddings."""

    kind = "MIRROR_PAD"
    types = tuple(
        rule for index in (DType.INT32, DType.INT64) for rule in moves_type(index, without=(DType.BOOL,))
    )
    limits = (has_elements, constant_input(1, "list of paddings"), has_padding_pairs, has_short_paddings)
    min_inputs = 2
    kernels = (CopyKernel(),)

    def parse(self, options: Options) -> MirrorPadAttributes:
        """Read MirrorPadOptions."""
        return MirrorPadAttributes(1 if options.get("mode", "REFLECT") == "REFLECT" else 0)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Each extent grows by its two paddings."""
        return (padded_shape(operation),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """For every combination of before, inside and after along the dimensions a part, reflected where it is outside."""
        border = _border(operation)
        parts = [
            _parts(extent, before, after, border)
            for extent, (before, after) in zip(inputs[0].shape, paddings(operation), strict=True)
        ]
        for chosen in product(*parts):
            target = outputs[0][tuple(part[0] for part in chosen)]
            if target.size:
                yield target, inputs[0][tuple(part[1] for part in chosen)]


def _border(operation: Operation) -> int:
    assert isinstance(operation.node.attributes, MirrorPadAttributes)
    return operation.node.attributes.border


def _parts(extent: int, before: int, after: int, border: int) -> list[tuple[slice, slice]]:
    """(place in the output, place in the input) of the elements before, inside and after."""
    first, last = before + border - 1, extent - 1 - border
    stop = last - after
    return [
        (slice(0, before), slice(first, border - 1 if border else None, -1)),
        (slice(before, before + extent), slice(0, extent)),
        (slice(before + extent, None), slice(last, stop if stop >= 0 else None, -1)),
    ]
