"""DYNAMIC_QUANTIZE: float32 to int8 by the range that each image has when the model runs. Made by a pass of hybrid layers.

Source of the semantics: see `_dynamic.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tinycompile.board import Board
from tinycompile.ir import Array, Attributes, DType
from tinycompile.ops._dynamic import (
    dynamic_quantize,
    is_hybrid,
    quantized_images,
    quantizes_asymmetrically,
)
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, TypeRule, register
from tinycompile.program import Granularity, KernelCode, Passing


@dataclass(frozen=True)
class DynamicQuantizeAttributes(Attributes):
    """How many parts of the input have a range of their own, and whether they get a zero point."""

    images: int = 1
    asymmetric: bool = False


class DynamicQuantizeKernel(Kernel):
    """Two passes over each image: the range, then the values."""

    name = "dynamic_quantize"

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About a dozen cycles for each element; the quotients of each image are in double."""
        return Cost(14 * operation.input(0).elements, 600)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `dynamic_quantize/images.c.j2`."""
        attributes = attributes_of(operation)
        return KernelCode(
            template="dynamic_quantize/images.c.j2",
            parameters={
                "images": attributes.images,
                "elements": operation.input(0).elements // attributes.images,
                "asymmetric": attributes.asymmetric,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            runtime=("tc_math.h",),
        )


@register
class DynamicQuantize(Operator):
    """Quantized values, the factor of each image and, where it is asymmetric, the zero point of each image."""

    kind = "DYNAMIC_QUANTIZE"
    types = (TypeRule((DType.FLOAT32,), (DType.INT8, DType.FLOAT32, DType.INT32)),)
    made_by_passes = True
    kernels = (DynamicQuantizeKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape, and one value for each image."""
        attributes = attributes_of(operation)
        of_images = (attributes.images,)
        return (operation.input(0).shape, of_images, *((of_images,) if attributes.asymmetric else ()))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """See `dynamic_quantize`."""
        values, attributes = inputs[0], attributes_of(operation)
        assert values is not None
        return dynamic_quantize(values, attributes.images, attributes.asymmetric)[: len(operation.outputs)]

    def access(self, operation: Operation, index: int) -> Access:
        """The range comes first."""
        return WHOLE


def attributes_of(operation: Operation) -> DynamicQuantizeAttributes:
    """The attributes of the operator."""
    assert isinstance(operation.node.attributes, DynamicQuantizeAttributes)
    return operation.node.attributes


def dynamic_quantization(operation: Operation) -> DynamicQuantizeAttributes | None:
    """How the activations of a hybrid layer are quantized; None for any other operation."""
    if not is_hybrid(operation):
        return None
    return DynamicQuantizeAttributes(quantized_images(operation), quantizes_asymmetrically(operation))
