"""SOFTMAX of int16: exponentials and the reciprocal of their sum from tables of 513 values with interpolation.

Source of the semantics: `SoftmaxInt16` in tensorflow/lite/kernels/internal/reference/softmax.h, `LUTPopulate` and `LUTLookup` in
tensorflow/lite/kernels/internal/common.h, `SoftmaxPrepare` in tensorflow/lite/kernels/activations.cc.
"""

from collections.abc import Callable

import numpy as np

from tinycompile.ir import Array
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier

_INTERVALS = 512
_LIMITS = (-32768, 32767)
REACH = 10.0
"""Differences to the greatest element that count; the exponential of the least one is nothing."""


def difference_multiplier(input_scale: float, beta: float) -> Multiplier:
    """Factor from a difference to one in which -65535 stands for -10."""
    return quantize_multiplier(input_scale * beta / (REACH / 65535.0))


def exponentials() -> Array:
    """exp(x) for x from -10 to 0, 15 fractional bits."""
    return _table(np.exp, -REACH, 0.0)


def reciprocals() -> Array:
    """1 / (1 + x) for x from 0 to 1, 15 fractional bits."""
    return _table(lambda x: np.float32(1.0) / (np.float32(1.0) + x), 0.0, 1.0)


def softmax_int16(rows: Array, multiplier: Multiplier) -> Array:
    """Outputs of [rows, depth] values, 15 fractional bits."""
    differences = rows.astype(np.int64) - rows.max(axis=1, keepdims=True)
    scaled = multiply_by_quantized_multiplier(differences, multiplier)
    exps = _lookup(exponentials(), np.clip(scaled + 32767, *_LIMITS))
    totals = exps.sum(axis=1)
    zeros = np.array([32 - int(total).bit_length() for total in totals])
    shifted = ((totals << (zeros - 1)) + (1 << 13)) >> 14
    scales = _lookup(reciprocals(), np.clip(shifted - (1 << 15) - (1 << 16), *_LIMITS))
    right = (31 - zeros)[:, None]
    result: Array = np.clip((exps * scales[:, None] + (1 << (right - 1))) >> right, 0, 32767).astype(np.int16)
    return result


def _table(function: Callable[[Array], Array], low: float, high: float) -> Array:
    """Samples moved so that the error in the middle of an interval is shared; in float32 as the reference does."""
    step = np.float32(np.float32(high - low) / np.float32(_INTERVALS))
    index = np.arange(_INTERVALS, dtype=np.float32)
    low32, scale = np.float32(low), np.float32(32768.0)
    values, middles, nexts = (
        function((low32 + index * step).astype(np.float32)).astype(np.float32),
        function((low32 + index * step + step / np.float32(2)).astype(np.float32)).astype(np.float32),
        function((low32 + (index + np.float32(1)) * step).astype(np.float32)).astype(np.float32),
    )
    samples = _rounded(values * scale)
    interpolated = _rounded((nexts * scale + samples) / np.float32(2))
    bias = _rounded((interpolated - _rounded(middles * scale)) / np.float32(2))
    last = _rounded(function(np.array([high], np.float32)).astype(np.float32) * scale)
    table: Array = np.clip(np.concatenate([samples - bias, last]), *_LIMITS).astype(np.int16)
    return table


def _rounded(values: Array) -> Array:
    """To the nearest integer, ties away from zero."""
    result: Array = (np.sign(values) * np.floor(np.abs(values) + np.float32(0.5))).astype(np.float32)
    return result


def _lookup(table: Array, values: Array) -> Array:
    index, rest = 256 + (values >> 7), values & 0x7F
    wide = table.astype(np.int64)
    result: Array = wide[index] + (((wide[index + 1] - wide[index]) * rest + 64) >> 7)
    return result
