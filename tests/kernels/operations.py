"""Random operations for kernel tests: shapes, zero points, weights and scales as a test asks for them."""

from dataclasses import dataclass, replace

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Node, Quantization, Tensor
from tinycompile.ops import Operation, operators
from tinycompile.ops._convolution import ConvolutionAttributes
from tinycompile.ops._fully_connected import FullyConnectedAttributes
from tinycompile.ops._pooling import PoolAttributes
from tinycompile.ops._transposed import TransposeConvAttributes
from tinycompile.ops._window import PaddingMode, WindowOptions
from tinycompile.quant import Activation


@dataclass(frozen=True)
class Numbers:
    """How the numbers of an operation are drawn."""

    seed: int = 0
    in_zero_point: int = -7
    out_zero_point: int = 3
    activation: Activation = Activation.NONE
    extreme_weights: bool = False
    """Weights are -127 or 127 only."""
    least_weight: int = -127
    per_channel: bool = True
    gain: float = 1.0
    """Above 1 more outputs saturate, far below 1 few values occur."""
    bias_reach: int = 3000


def _tensor(
    index: int, values: Array | tuple[int, ...], dtype: DType, quantization: Quantization | None
) -> Tensor:
    if isinstance(values, tuple):
        return Tensor(index, f"t{index}", values, dtype, quantization)
    return Tensor(index, f"t{index}", values.shape, dtype, quantization, values)


def _scales(numbers: Numbers, weights: Array, axis: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Scales that make outputs fill the int8 range about as `gain` says."""
    channels = weights.shape[axis] if numbers.per_channel else 1
    spread = np.sqrt((weights.astype(np.float64) ** 2).sum() / weights.shape[axis]) * 74 + 1
    scales = numbers.gain * 60 / spread * rng.uniform(0.5, 2.0, channels)
    return tuple(float(np.float32(scale)) for scale in scales)


def _weights(numbers: Numbers, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if numbers.extreme_weights:
        return rng.choice(np.array([numbers.least_weight, 127], np.int8), shape)
    return np.clip(np.round(rng.normal(0, 45, shape)), numbers.least_weight, 127).astype(np.int8)


def _operation(
    kind: str, source: tuple[int, ...], weights: Array, axis: int, numbers: Numbers, attributes: Attributes
) -> Operation:
    rng = np.random.default_rng(numbers.seed + 1)
    scales = _scales(numbers, weights, axis, rng)
    bias = rng.integers(-numbers.bias_reach, numbers.bias_reach + 1, weights.shape[axis]).astype(np.int32)
    inputs = (
        _tensor(0, source, DType.INT8, Quantization((1.0,), (numbers.in_zero_point,))),
        _tensor(1, weights, DType.INT8, Quantization(scales, (0,) * len(scales), axis)),
        _tensor(2, bias, DType.INT32, None),
    )
    return _checked(kind, inputs, numbers.out_zero_point, attributes)


def _checked(kind: str, inputs: tuple[Tensor, ...], out_zero_point: int, attributes: Attributes) -> Operation:
    """The operation with its inferred output, within all limits."""
    number = len(inputs)
    output = _tensor(number, (0, 0, 0, 0), DType.INT8, Quantization((1.0,), (out_zero_point,)))
    node = Node(0, kind, kind.lower(), tuple(range(number)), (number,), attributes)
    draft = Operation(node, inputs, (output,))
    (shape,) = operators()[kind].infer(draft)
    final = replace(draft, outputs=(replace(output, shape=shape),))
    problems = [problem for limit in operators()[kind].limits if (problem := limit(final))]
    assert not problems, problems
    return final


def window(
    padding: str = "SAME", stride: tuple[int, int] = (1, 1), dilation: tuple[int, int] = (1, 1)
) -> WindowOptions:
    """Options of a window; strides and dilations are (rows, columns)."""
    return WindowOptions(PaddingMode(padding), *stride, *dilation)


def convolution(
    source: tuple[int, ...],
    out_channels: int,
    taps: tuple[int, int] = (1, 1),
    options: WindowOptions | None = None,
    numbers: Numbers | None = None,
    groups: int = 1,
) -> Operation:
    """A CONV_2D on an NHWC input."""
    numbers = numbers or Numbers()
    rng = np.random.default_rng(numbers.seed)
    weights = _weights(numbers, (out_channels, *taps, source[3] // groups), rng)
    attributes = ConvolutionAttributes(options or window(), numbers.activation)
    return _operation("CONV_2D", source, weights, 0, numbers, attributes)


def transposed(
    source: tuple[int, ...],
    out: tuple[int, int, int],
    taps: tuple[int, int],
    options: WindowOptions,
    numbers: Numbers | None = None,
) -> Operation:
    """A TRANSPOSE_CONV of an NHWC image; `out` has rows, columns and channels."""
    numbers = numbers or Numbers()
    rng = np.random.default_rng(numbers.seed)
    weights = _weights(numbers, (out[2], *taps, source[3]), rng)
    scales = _scales(numbers, weights, 0, rng)
    bias = rng.integers(-numbers.bias_reach, numbers.bias_reach + 1, out[2]).astype(np.int32)
    inputs = (
        _tensor(0, np.array((source[0], *out), np.int32), DType.INT32, None),
        _tensor(1, weights, DType.INT8, Quantization(scales, (0,) * len(scales), 0)),
        _tensor(2, source, DType.INT8, Quantization((1.0,), (numbers.in_zero_point,))),
        _tensor(3, bias, DType.INT32, None),
    )
    attributes = TransposeConvAttributes(options, numbers.activation)
    return _checked("TRANSPOSE_CONV", inputs, numbers.out_zero_point, attributes)


def depthwise(
    source: tuple[int, ...],
    taps: tuple[int, int] = (3, 3),
    options: WindowOptions | None = None,
    numbers: Numbers | None = None,
    multiplier: int = 1,
) -> Operation:
    """A DEPTHWISE_CONV_2D on an NHWC input."""
    numbers = numbers or Numbers()
    rng = np.random.default_rng(numbers.seed)
    weights = _weights(numbers, (1, *taps, source[3] * multiplier), rng)
    attributes = ConvolutionAttributes(options or window(), numbers.activation)
    return _operation("DEPTHWISE_CONV_2D", source, weights, 3, numbers, attributes)


def fully_connected(
    batches: int, depth: int, units: int, numbers: Numbers | None = None, weights_zero_point: int = 0
) -> Operation:
    """A FULLY_CONNECTED on an input of [batches, depth]."""
    numbers = numbers or Numbers()
    weights = _weights(numbers, (units, depth), np.random.default_rng(numbers.seed))
    attributes = FullyConnectedAttributes(numbers.activation)
    made = _operation("FULLY_CONNECTED", (batches, depth), weights, 0, numbers, attributes)
    if weights_zero_point == 0:
        return made
    matrix = made.input(1)
    assert matrix.quantization is not None and not matrix.quantization.per_channel
    shifted = replace(matrix, quantization=replace(matrix.quantization, zero_points=(weights_zero_point,)))
    return replace(made, inputs=(made.input(0), shifted, made.input(2)))


def pool(
    kind: str,
    source: tuple[int, ...],
    taps: tuple[int, int],
    options: WindowOptions | None = None,
    activation: Activation = Activation.NONE,
    zero_point: int = -7,
) -> Operation:
    """An AVERAGE_POOL_2D or MAX_POOL_2D of int8."""
    image = _tensor(0, source, DType.INT8, Quantization((1.0,), (zero_point,)))
    attributes = PoolAttributes(taps, options or window(), activation)
    return _checked(kind, (image,), zero_point, attributes)


def image_index(operation: Operation) -> int:
    """The input that is computed."""
    return next(i for i, t in enumerate(operation.inputs) if t is not None and not t.is_constant)


def image_for(operation: Operation, seed: int = 0) -> Array:
    """An input with every kind of value: random ones, and runs of both extremes."""
    rng = np.random.default_rng(seed)
    shape = operation.input(image_index(operation)).shape
    values = rng.integers(-128, 128, shape)
    extremes = rng.choice(np.array([-128, 127]), shape)
    return np.where(rng.random(shape) < 0.3, extremes, values).astype(np.int8)
