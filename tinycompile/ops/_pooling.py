"""What the pooling operators share: options, limits, shapes, and a kernel that computes an output row from row pointers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._fused import clamp_bounds, clamp_holes, has_clamp_activation
from tinycompile.ops._limits import (
    QUANTIZED,
    has_elements,
    has_per_tensor_quantization,
    has_same_quantization,
    rank_limit,
)
from tinycompile.ops._window import Window, WindowOptions, window_of
from tinycompile.ops.access import Access
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, TypeRule
from tinycompile.program import Granularity, KernelCode, Parameter, Passing
from tinycompile.quant import Activation

POOLED_TYPES = tuple(
    TypeRule((dtype,), (dtype,)) for dtype in (DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32)
)


@dataclass(frozen=True)
class PoolAttributes(Attributes):
    """Options of a pooling; `taps` are rows and columns of its window."""

    taps: tuple[int, int] = (1, 1)
    window: WindowOptions = field(default_factory=WindowOptions)
    activation: Activation = Activation.NONE


def has_legal_window(operation: Operation) -> str | None:
    """Window and strides are positive, and the window fits the padded image."""
    attributes = _attributes(operation)
    if min(attributes.taps) < 1:
        return f"the window is {attributes.taps[0]}x{attributes.taps[1]}"
    source = operation.inputs[0]
    if attributes.window.problem or source is None or len(source.shape) != 4:
        return attributes.window.problem
    window = pool_window(operation)
    extents = (window.rows.out_extent, window.columns.out_extent)
    return None if min(extents) > 0 else f"the output would have {extents[0]} rows and {extents[1]} columns"


class Pooling(Operator):
    """Base of the pooling operators."""

    types = POOLED_TYPES
    limits = (
        has_elements,
        rank_limit(4),
        has_legal_window,
        has_clamp_activation,
        has_per_tensor_quantization,
        has_same_quantization,
    )

    def parse(self, options: Options) -> PoolAttributes:
        """Read Pool2DOptions."""
        return PoolAttributes(
            taps=(int(options.get("filter_height", 0)), int(options.get("filter_width", 0))),
            window=WindowOptions.parse(options),
            activation=Activation(options.get("fused_activation_function", "NONE")),
        )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] gives [N, H', W', C]."""
        window, shape = pool_window(operation), operation.input(0).shape
        return ((shape[0], window.rows.out_extent, window.columns.out_extent, shape[3]),)

    def access(self, operation: Operation, index: int) -> Access:
        """The rows of the window."""
        return pool_window(operation).access


class PoolRows(Kernel):
    """One output row from the rows of its window; rows outside of the image are skipped."""

    name = "rows"
    granularities = (Granularity.ROW,)
    runtime: ClassVar[tuple[str, ...]] = ("tc_requantize.h",)
    """Headers for quantized types."""

    def __init__(self, template: str) -> None:
        self._template = template

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Between six and seven cycles for each element of each window."""
        rows, columns = _attributes(operation).taps
        return Cost(operation.output.elements * (16 + 13 * rows * columns) // 2, 200)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of the template; clamps are arguments for quantized types and holes for float."""
        window, dtype = pool_window(operation), operation.output.dtype
        columns = window.columns
        quantized = dtype in QUANTIZED
        parameters: dict[str, Parameter] = {
            "c_type": dtype.c_type,
            "quantized": quantized,
            "channels": operation.output.shape[3],
            "in_width": columns.in_extent,
            "out_width": columns.out_extent,
            "window_rows": window.rows.taps,
            "window_columns": columns.taps,
            "stride": columns.stride,
            "pad_left": columns.pad_before,
            "padded": columns.pad_before > 0 or columns.pad_after > 0,
            "rows_padded": window.rows.pad_before > 0 or window.rows.pad_after > 0,
            **({"low": "none", "high": "none"} if quantized else clamp_holes(operation)),
        }
        low, high = clamp_bounds(operation)
        return KernelCode(
            template=self._template,
            parameters=parameters,
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            arguments=(int(low), int(high)) if quantized else (),
            runtime=self.runtime if quantized else ("tc_math.h",),
        )


def pool_window(operation: Operation) -> Window:
    """The window over the input."""
    attributes = _attributes(operation)
    return window_of(attributes.window, operation.input(0).shape, attributes.taps)


def windows(operation: Operation, image: Array, border: int | float) -> Iterator[Array]:
    """For each tap, in row-major order, the value that each output reads: [N, H', W', C], `border` outside of the image."""
    window = pool_window(operation)
    rows, columns = window.rows, window.columns
    pads = [(0, 0), (rows.pad_before, rows.pad_after), (columns.pad_before, columns.pad_after), (0, 0)]
    padded = np.pad(image, pads, constant_values=border)
    for row in range(rows.taps):
        for column in range(columns.taps):
            yield padded[:, rows.source(row), columns.source(column), :]


def _attributes(operation: Operation) -> PoolAttributes:
    assert isinstance(operation.node.attributes, PoolAttributes)
    return operation.node.attributes
