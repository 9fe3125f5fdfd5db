"""Kernels of TRANSPOSE_CONV in assembly, for processors with SMLAD: matrix products by phases, see `_transpose_phases.py`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from tinycompile.assembly.matrix_shape import CHAIN, NATURAL_ORDER, Weights
from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._asm_scaling import Scaling, scaling
from tinycompile.ops._dsp import Channels, chain_order
from tinycompile.ops._gemm_asm import Layout, Matrix, stream
from tinycompile.ops._gemm_cost import gemm_code_bytes, gemm_cycles, stream_bytes
from tinycompile.ops._gemm_kernel import group_pixels, layout_of
from tinycompile.ops._linear import bias_values, clamps, multipliers_of
from tinycompile.ops._transpose_phases import Phase, phase_filters, phases_of
from tinycompile.ops._transposed import as_convolution, attributes_of, transposed_axes
from tinycompile.ops._window_row import WindowRow
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing


@dataclass(frozen=True, eq=False)
class _Product:
    """What a call does for one phase of its columns."""

    rows: Phase
    columns: Phase
    window: WindowRow
    channels: Channels


class _Products:
    """An operation as its products, all with one layout and one form of requantization."""

    def __init__(self, operation: Operation, weights: Weights, board: Board) -> None:
        self.operation, self.weights, self.board = operation, weights, board
        self.row_axis, self.column_axis = transposed_axes(operation)
        self.row_phases = phases_of(self.row_axis)
        self.column_phases = phases_of(self.column_axis, joined=True)

    @property
    def are_windows(self) -> bool:
        """True when each output has a tap."""
        return all(phase.taps > 0 for phase in (*self.row_phases, *self.column_phases))

    @cached_property
    def products(self) -> tuple[_Product, ...]:
        """By phases of rows, then of columns."""
        return tuple(self._product(*phases) for phases in product(self.row_phases, self.column_phases))

    def _product(self, rows: Phase, columns: Phase) -> _Product:
        operation = self.operation
        _, height, width, depth = operation.input(2).shape
        in_rows = rows.window(height)
        outside = in_rows.pad_before > 0 or in_rows.pad_after > 0
        window = WindowRow(rows.taps, columns.window(width), depth, outside)
        strides = self.row_axis.stride, self.column_axis.stride
        channels, copies = operation.output.shape[3], len(columns.kernels)
        low, high = clamps(operation.output, attributes_of(operation).activation)
        convolution = as_convolution(operation)
        return _Product(
            rows,
            columns,
            window,
            Channels(
                weights=phase_filters(operation.input(1).values, rows, columns, strides),
                bias=np.tile(bias_values(convolution, channels), copies),
                in_zero_point=operation.input(2).zero_point,
                multipliers=multipliers_of(convolution, channels) * copies,
                out_zero_point=operation.output.zero_point,
                low=low,
                high=high,
            ),
        )

    @cached_property
    def layout(self) -> Layout:
        """Blocks of pixels times channels, the same for all products."""
        windows = [each.window for each in self.products]
        apart = self.column_axis.stride * self.operation.output.shape[3]
        pairs, run = max(w.pairs for w in windows), max(w.run for w in windows)
        is_single = all(phase.count == 1 for phase in self.column_phases)
        group = 1 if is_single else group_pixels(pairs, run, apart, self.weights)
        return replace(
            layout_of(group, self.weights, self.board.issue_width),
            pixel_channels=apart,
            order=chain_order(self.joined.weights) or NATURAL_ORDER,
        )

    @cached_property
    def joined(self) -> Channels:
        """The channels of all products."""
        return _joined([each.channels for each in self.products])

    @cached_property
    def scaling(self) -> Scaling | None:
        """Proven requantization of all products."""
        return scaling(self.joined, self.weights)

    @property
    def proven(self) -> Scaling:
        """The same where there is one."""
        assert self.scaling is not None
        return self.scaling

    def scalings(self) -> Iterator[Scaling]:
        """The part of each product."""
        start = 0
        for each in self.products:
            channels = len(each.channels.weights)
            yield self.proven.part(slice(start, start + channels))
            start += channels + -channels % CHAIN

    def streams(self) -> list[Constant]:
        """The stream of each product."""
        layout = self.layout
        return [
            stream(Matrix(each.channels, each.window.halves), made, layout)
            for each, made in zip(self.products, self.scalings(), strict=True)
        ]

    @property
    def rows_of_windows(self) -> tuple[tuple[Parameter, ...], ...]:
        """For each product the parameters of the function around it."""
        layout = self.layout
        return tuple(each.window.parameters(layout.group, layout.pixel_channels) for each in self.products)


def _joined(parts: Sequence[Channels]) -> Channels:
    """All channels of several layers, with taps that are zero behind the others'.

    Each layer has whole chains of channels, some of which are zero.
    """
    taps = max(part.weights.shape[1] for part in parts)
    weights, bias, multipliers = [], [], []
    for part in parts:
        count, own_taps = part.weights.shape
        more = -count % CHAIN
        weights.append(np.pad(part.weights, ((0, more), (0, taps - own_taps))))
        bias.append(np.pad(part.bias, (0, more)))
        multipliers += [*part.multipliers, *part.multipliers[:1] * more]
    return replace(
        parts[0],
        weights=np.concatenate(weights),
        bias=np.concatenate(bias),
        multipliers=tuple(multipliers),
    )


class TransposeConvAsm(Kernel):
    """int8, any window and stride where each output has a tap. It comes with all forms of weights."""

    granularities = (Granularity.ROW,)

    def __init__(self, weights: Weights = Weights.INT16) -> None:
        self.weights = weights
        self.name = weights.kernel("phases_asm")  # type: ignore[misc]

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, and requantization constants that are proven."""
        if operation.output.dtype is not DType.INT8 or not board.dsp:
            return False
        products = _Products(operation, self.weights, board)
        return products.are_windows and products.scaling is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The products with their calls; code that they share counts once."""
        made = _Products(operation, self.weights, board)
        layout, how, images = made.layout, made.proven.how, operation.output.shape[0]
        cycles, streams, code = 0, 0, {}
        for each in made.products:
            calls, pixels = images * each.rows.count, each.columns.count
            pairs, channels = each.window.pairs, len(each.channels.weights)
            cycles += gemm_cycles((pixels, calls), pairs, channels, layout, how)
            cycles += calls * each.window.staging_cycles(layout.group)
            streams += stream_bytes(pairs, channels, self.weights, how)
            code[pairs, pixels % layout.group] = gemm_code_bytes(pixels, pairs, channels, layout)
        return Cost(cycles, streams + sum(code.values()))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Products run one after the other."""
        made = _Products(operation, self.weights, board)
        return max(each.window.scratch_bytes(made.layout.group) for each in made.products)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `transpose_conv/phases.c.j2`."""
        made = _Products(operation, self.weights, board)
        layout, how = made.layout, made.proven.how
        streams, windows = made.streams(), [each.window for each in made.products]
        functions = tuple(dict.fromkeys(made.rows_of_windows))
        matrices = [Matrix(each.channels, each.window.halves) for each in made.products]
        parameters: dict[str, Parameter] = {
            "products": _unique(
                (w.products(m, how, layout) for w, m in zip(windows, matrices, strict=True)), 2
            ),
            "stagings": _unique((window.stagings(layout.group) for window in windows), 5),
            "functions": functions,
            "row_phases": _calls(made, functions, [stream.values.size for stream in streams]),
            "channels": len(made.products[0].channels.weights),
            "images": operation.output.shape[0],
            "out_height": operation.output.shape[1],
            "out_width": operation.output.shape[2],
            "out_channels": operation.output.shape[3],
            "stride_rows": made.row_axis.stride,
            "stride_columns": made.column_axis.stride,
            "pad_top": made.row_axis.pad_before,
        }
        values = np.concatenate([stream.values for stream in streams])
        return KernelCode(
            template="transpose_conv/phases.c.j2",
            parameters=parameters,
            granularity=granularity,
            inputs=((2, Passing.WINDOW),),
            constants=(replace(streams[0], values=values, comment=f"for each phase, {streams[0].comment}"),),
            arguments=(operation.input(2).zero_point,),
            takes_row=True,
            scratch_bytes=self.scratch_bytes(operation, board),
        )


def _unique(parts: Iterable[tuple[Parameter, ...]], key_length: int) -> tuple[Parameter, ...]:
    """Functions that products share, once: those with the same first fields, from which their names are made."""
    found: dict[Parameter, Parameter] = {}
    for functions in parts:
        for function in functions:
            assert isinstance(function, tuple)
            found.setdefault(function[:key_length], function)
    return tuple(found.values())


def _calls(
    made: _Products, functions: Sequence[Parameter], stream_words: Sequence[int]
) -> tuple[Parameter, ...]:
    """For each phase of the rows (first tap, pointers that are left out, calls).

    A call is (function, first output, first word of the stream).
    """
    most, channels = max(phase.taps for phase in made.row_phases), made.operation.output.shape[3]
    starts = np.cumsum([0, *stream_words]).tolist()
    calls: dict[Phase, list[Parameter]] = {}
    for each, row, start in zip(made.products, made.rows_of_windows, starts, strict=False):
        first = each.columns.first_output * channels
        calls.setdefault(each.rows, []).append((functions.index(row), first, start))
    return tuple((rows.kernels[0], most - rows.taps, tuple(own)) for rows, own in calls.items())
