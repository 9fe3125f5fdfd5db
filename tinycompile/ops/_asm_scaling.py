"""Proven requantization constants of the assembly kernels, for each form in which they keep weights.

int16 weights may be scaled by a power of two of each channel; `packed` ones have fixed scales; those of Winograd's transforms
come times four or times 24. See `tinycompile/quant/solver.py` for what the scale is good for.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tinycompile.assembly.matrix_shape import Weights
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.ir import Array
from tinycompile.ops._dsp import CHAINED_SCALE, Channels, chain_order, may_pair
from tinycompile.quant import Accumulators, Multiplier, Requantization, requantize, solve

LARGEST_SCALE = 256
WINOGRAD_SCALE = 4
"""Twice for each direction of the transform."""

WINOGRAD_ROW_SCALE = 24
"""The common denominator of the transform along a row."""

_CHAINED_REACH = (1 << 23) - (1 << 14)
"""Dot products of chains, with their offsets, have 24 bits."""

_OFFSET_ROOM = 1 << 14
"""Accumulators stay this far from the limits of int32, which leaves room for the offsets of the solver."""


def _largest_scales(channels: Channels, stored: Array, least_scale: int = 1) -> Array:
    """For each channel the greatest scale up to 256 that keeps weights in int16 and accumulators in int32.

    `stored` are the weights [channels, ...] that go with `least_scale`; the result is that one times a power of two.
    """
    reach = np.maximum(_reach(channels), 1)
    flat = stored.reshape(len(stored), -1).astype(np.int64)
    doublings = (LARGEST_SCALE // least_scale).bit_length() - 1
    scales = np.full(len(flat), least_scale << doublings, np.int64)
    for _ in range(8):
        factor = scales // least_scale
        large = (flat.min(axis=1) * factor < -(1 << 15)) | (flat.max(axis=1) * factor >= 1 << 15)
        large |= reach * scales >= (1 << 31) - _OFFSET_ROOM
        scales = np.where(large & (scales > least_scale), scales // 2, scales)
    return scales


@dataclass(frozen=True, eq=False)
class Scaling:
    """Proven requantization of a layer: instructions, and the constants of each channel (int64 [channels])."""

    how: Requantizing
    scale: Array
    offset: Array
    multiplier: Array
    constant: Array
    shifts: Array

    def part(self, channels: slice) -> "Scaling":
        """That of some channels."""
        names = ("scale", "offset", "multiplier", "constant", "shifts")
        return replace(self, **{name: getattr(self, name)[channels] for name in names})

    @property
    def constants(self) -> Array:
        """Constants as streams hold them, int64 [channels, how.words]: multiplier, constant, shift."""
        used = [self.multiplier, *([self.constant] if self.how.addend else []), self.shifts]
        return np.stack(used[: self.how.words], axis=1)


@dataclass(frozen=True)
class _Key:
    """The fields of Channels as hashable values."""

    weights: bytes
    shape: tuple[int, ...]
    bias: tuple[int, ...]
    in_zero_point: int
    multipliers: tuple[Multiplier, ...]
    out_zero_point: int
    low: int
    high: int

    def channels(self) -> Channels:
        """Channels again."""
        weights = np.frombuffer(self.weights, np.int16).reshape(self.shape)
        return Channels(
            weights, np.array(self.bias, np.int64), self.in_zero_point, self.multipliers, self.out_zero_point,
            self.low, self.high,
        )  # fmt: skip


def scaling(channels: Channels, weights: Weights = Weights.INT16) -> Scaling | None:
    """Proven constants of a layer, None when there are none. Remembered, as kernel selection asks several times."""
    by_weights = {
        Weights.INT16: _int16_scaling,
        Weights.PACKED: _packed_scaling,
        Weights.CHAINED: _chained_scaling,
    }
    return by_weights[weights](_key(channels))


def byte_scaling(channels: Channels) -> Scaling | None:
    """Proven constants of a layer whose weights stay int8, each channel for itself."""
    return _byte_scaling(_key(channels))


def winograd_scaling(channels: Channels) -> Scaling | None:
    """Proven constants of a 3x3 convolution whose sums come times `Scaling.scale`, or, where `doubled`, times four."""
    return _winograd_scaling(_key(channels))


def winograd_row_scaling(channels: Channels, rows: int) -> Scaling | None:
    """The same for windows of `rows` rows with three columns, by the transform along the row; `doubled`: times 24."""
    return _winograd_row_scaling(_key(channels), rows)


def transformed_weights(channels: Channels) -> Array:
    """Winograd's G g G', times four: weights [channels, 3 * 3 * depth] as int64 [channels, 16, depth]."""
    filters = channels.weights.astype(np.int64).reshape(len(channels.weights), 3, 3, -1)
    twice = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]], np.int64)
    transformed: Array = np.einsum("ia,oabc,jb->oijc", twice, filters, twice)
    return transformed.reshape(len(filters), 16, -1)


def row_transformed_weights(channels: Channels, rows: int) -> Array:
    """G of `assembly/winograd_row.py` times 24: weights [channels, rows * 3 * depth] as int64 [channels, 6, rows * depth]."""
    filters = channels.weights.astype(np.int64).reshape(len(channels.weights), rows, 3, -1)
    matrix = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.int64)
    transformed: Array = np.einsum("ik,orkc->oirc", matrix, filters)
    return transformed.reshape(len(filters), len(matrix), -1)


def _key(channels: Channels) -> _Key:
    return _Key(
        channels.weights.astype(np.int16).tobytes(), channels.weights.shape, tuple(channels.bias.tolist()),
        channels.in_zero_point, channels.multipliers, channels.out_zero_point, channels.low, channels.high,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _int16_scaling(key: _Key) -> Scaling | None:
    channels = key.channels()
    found = _solve(channels, slice(None), _largest_scales(channels, channels.weights))
    return _scaling([(slice(None), found)]) if found is not None else None


@lru_cache(maxsize=1024)
def _packed_scaling(key: _Key) -> Scaling | None:
    channels = key.channels()
    if not may_pair(channels.weights) or _reach(channels)[1::2].max(initial=0) >= 1 << 23:
        return None
    parts = [(slice(0, None, 2), 1), (slice(1, None, 2), 256)][: len(channels.weights)]
    solved = [(part, _solve(channels, part, scale, fixed=True)) for part, scale in parts]
    found = [(part, solution) for part, solution in solved if solution is not None]
    if len(found) == len(parts):
        return _scaling(found)
    return _doubled_scaling(channels)


@lru_cache(maxsize=1024)
def _chained_scaling(key: _Key) -> Scaling | None:
    channels = key.channels()
    if chain_order(channels.weights) is None or _reach(channels).max() >= _CHAINED_REACH:
        return None
    found = _solve(channels, slice(None), CHAINED_SCALE, fixed=True, whole_offsets=True)
    return _scaling([(slice(None), found)]) if found is not None else _doubled_scaling(channels)


@lru_cache(maxsize=1024)
def _byte_scaling(key: _Key) -> Scaling | None:
    channels = key.channels()
    found = _solve(channels, slice(None), 1, fixed=True)
    return _scaling([(slice(None), found)]) if found is not None else _doubled_scaling(channels)


def _doubled_scaling(channels: Channels) -> Scaling | None:
    """Sums are doubled at the end."""
    doubled = _solve(channels, slice(None), 2, closed=True)
    if doubled is None or (doubled.scale != 2).any():
        return None
    return _scaling([(slice(None), doubled)], doubled=True)


@lru_cache(maxsize=1024)
def _winograd_scaling(key: _Key) -> Scaling | None:
    channels = key.channels()
    return _transformed_scaling(channels, transformed_weights(channels), WINOGRAD_SCALE)


@lru_cache(maxsize=1024)
def _winograd_row_scaling(key: _Key, rows: int) -> Scaling | None:
    channels = key.channels()
    return _transformed_scaling(channels, row_transformed_weights(channels, rows), WINOGRAD_ROW_SCALE)


def _transformed_scaling(channels: Channels, stored: Array, least_scale: int) -> Scaling | None:
    """Constants for sums that come times `least_scale` or more, else for sums that are brought back to twice the true ones."""
    scales = _largest_scales(channels, stored, least_scale)
    if (_reach(channels) * least_scale).max(initial=0) >= (1 << 31) - _OFFSET_ROOM:
        return None
    found = _solve(channels, slice(None), scales, least_scale=least_scale)
    if found is not None:
        return _scaling([(slice(None), found)])
    return _doubled_scaling(channels)


def _reach(channels: Channels) -> Array:
    """Greatest absolute value of each channel's accumulator, 0 where the output never changes: there it may wrap."""
    least, greatest, _ = _limits(channels)
    reach: Array = np.maximum(-least, greatest)
    return reach


def _limits(channels: Channels) -> tuple[Array, Array, Array]:
    """Least and greatest accumulator of each channel less its origin, and the origin: see `Accumulators`."""
    least, greatest = channels.accumulator_range()
    ends = np.clip(np.stack([least, greatest]), -(1 << 31), (1 << 31) - 1)
    scaled = requantize(ends, channels.multipliers) + channels.out_zero_point
    low, high = np.clip(scaled, channels.low, channels.high)
    within = (least >= -(1 << 31)) & (greatest < 1 << 31)
    constant = (low == high) & within
    origin = np.where(constant, least, 0)
    return np.where(constant, 0, least), np.where(constant, 0, greatest), origin


def _solve(
    channels: Channels,
    part: slice,
    scales: Array | int,
    fixed: bool = False,
    closed: bool = False,
    least_scale: int = 1,
    whole_offsets: bool = False,
) -> Requantization | None:
    """Solve some channels of a layer."""
    least, greatest, origin = (limit[part] for limit in _limits(channels))
    if len(least) == 0 or max(-least.min(), greatest.max()) >= 1 << 31:
        return None
    largest = np.broadcast_to(np.asarray(scales, np.int64), least.shape).copy()
    return solve(
        Accumulators(least, greatest, largest, fixed, least_scale, origin, whole_offsets),
        channels.multipliers[part],
        channels.out_zero_point,
        channels.low,
        channels.high,
        closed,
    )


def _scaling(parts: list[tuple[slice, Requantization]], doubled: bool = False) -> Scaling:
    """Solutions of one or two parts of the channels in one."""
    count = sum(len(found.scale) for _, found in parts)
    arrays = {}
    for name in ("scale", "offset", "multiplier", "constant", "shifts"):
        values = np.zeros(count, np.int64)
        for part, found in parts:
            values[part] = getattr(found, name).astype(np.int64)
        arrays[name] = values
    first, last = parts[0][1], parts[-1][1]
    how = Requantizing(
        shift=first.shift or 0,
        half_away=first.half_away,
        low=-128 if first.low is None else first.low,
        high=127 if first.high is None else first.high,
        odd_shift=(last.shift or 0) if last is not first else 0,
        doubled=doubled,
        addend=not all(found.bias_alone for _, found in parts),
    )
    return Scaling(how, **arrays)
