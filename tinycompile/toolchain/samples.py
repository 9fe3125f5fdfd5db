"""Inputs to verify a model with: random over the full range, extremes, and real ones out of an NPZ file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import tflite

from tinycompile.errors import Problem, UsageError
from tinycompile.toolchain.generated import Array, Generated, TensorInfo
from tinycompile.toolchain.harness import Sample

SEED = 20_240_607
"""Fixed, so that a difference that was found is found again."""

_FLOAT_RANGE = (-4.0, 4.0)
"""For float inputs whose quantization range is not known."""

Fill = Callable[[np.random.Generator, TensorInfo, float, float], Array]


def make_samples(generated: Generated, model: bytes, count: int) -> tuple[Sample, ...]:
    """`count` samples: a random one first, then the extremes and random ones in turn until all extremes are there."""
    ranges = [
        _range(info, limits) for info, limits in zip(generated.inputs, _float_limits(model), strict=True)
    ]
    rng = np.random.default_rng(SEED)
    return tuple(_sample(rng, generated.inputs, ranges, fill) for fill in _fills(count))


def _fills(count: int) -> list[Fill]:
    plan: list[Fill] = []
    for extreme in (_lowest, _highest, _alternating, _bimodal):
        plan += [_uniform, extreme]
    return (plan + [_uniform] * count)[:count]


def _sample(
    rng: np.random.Generator, infos: Sequence[TensorInfo], ranges: Sequence[tuple[float, float]], fill: Fill
) -> Sample:
    return tuple(fill(rng, info, low, high) for info, (low, high) in zip(infos, ranges, strict=True))


def _uniform(rng: np.random.Generator, info: TensorInfo, low: float, high: float) -> Array:
    dtype = np.dtype(info.dtype)
    if dtype.kind == "f":
        return rng.uniform(low, high, info.shape).astype(dtype)
    return rng.integers(int(low), int(high), info.shape, endpoint=True, dtype=np.int64).astype(dtype)


def _lowest(rng: np.random.Generator, info: TensorInfo, low: float, high: float) -> Array:
    return np.full(info.shape, low).astype(info.dtype)


def _highest(rng: np.random.Generator, info: TensorInfo, low: float, high: float) -> Array:
    return np.full(info.shape, high).astype(info.dtype)


def _alternating(rng: np.random.Generator, info: TensorInfo, low: float, high: float) -> Array:
    elements = np.arange(int(np.prod(info.shape))).reshape(info.shape)
    return np.where(elements % 2 == 0, low, high).astype(info.dtype)


def _bimodal(rng: np.random.Generator, info: TensorInfo, low: float, high: float) -> Array:
    """Either end of the range, at random: the largest accumulators that random data can give."""
    return np.where(rng.integers(0, 2, info.shape) == 0, low, high).astype(info.dtype)


def _range(info: TensorInfo, float_limits: tuple[float, float]) -> tuple[float, float]:
    """Least and greatest value of an input."""
    dtype = np.dtype(info.dtype)
    if dtype.kind == "f":
        return float_limits
    if dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _float_limits(model: bytes) -> list[tuple[float, float]]:
    """For each input the real range of the QUANTIZE that reads it: a little more than its integers can tell apart."""
    graph = tflite.Model.GetRootAs(model).Subgraphs(0)
    return [_quantized_limits(graph, int(graph.Inputs(i))) for i in range(graph.InputsLength())]


def _quantized_limits(graph: tflite.SubGraph, tensor: int) -> tuple[float, float]:
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        if operator.InputsLength() != 1 or operator.OutputsLength() != 1 or operator.Inputs(0) != tensor:
            continue
        output = graph.Tensors(operator.Outputs(0))
        quantization = output.Quantization()
        if output.Type() in _INTEGERS and quantization is not None and quantization.ScaleLength() == 1:
            return _real_range(_INTEGERS[output.Type()], quantization.Scale(0), quantization.ZeroPoint(0))
    return _FLOAT_RANGE


_INTEGERS = {
    tflite.TensorType.INT8: "int8",
    tflite.TensorType.UINT8: "uint8",
    tflite.TensorType.INT16: "int16",
}


def _real_range(dtype: str, scale: float, zero_point: int) -> tuple[float, float]:
    """Values from one step below the least to one step above the greatest, so that saturation is met too."""
    limits = np.iinfo(dtype)
    return scale * (int(limits.min) - zero_point - 1), scale * (int(limits.max) - zero_point + 1)


def load_samples(generated: Generated, path: Path) -> tuple[Sample, ...]:
    """Samples of an NPZ file: array `x` (or `x_0`, `x_1`, ... for several inputs), samples along the first axis.

    Float arrays are quantized with the input's scale and zero point (real inputs as a user has them); integer arrays of the
    input's type are used as they are. Raises UsageError when the file does not fit the model.
    """
    names = ["x"] if len(generated.inputs) == 1 else [f"x_{i}" for i in range(len(generated.inputs))]
    try:
        with path.open("rb") as file, np.load(file) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise UsageError(Problem(str(path), f"cannot be read ({error.strerror or error})")) from error
    except (ValueError, TypeError, EOFError, BadZipFile) as error:
        raise UsageError(
            Problem(str(path), "it is no NPZ file", action="write one with numpy.savez")
        ) from error
    missing = [name for name in names if name not in arrays]
    if missing:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise UsageError(
            Problem(str(path), f"it holds {found}", f"the model's inputs are {', '.join(names)}")
        )
    stacks = [
        _stack(path, name, arrays[name], info) for name, info in zip(names, generated.inputs, strict=True)
    ]
    if len({len(stack) for stack in stacks}) != 1:
        raise UsageError(
            Problem(
                str(path),
                f"its arrays have {', '.join(str(len(s)) for s in stacks)} samples",
                "equal numbers",
            )
        )
    return tuple(tuple(stack[n] for stack in stacks) for n in range(len(stacks[0])))


def _stack(path: Path, name: str, data: Array, info: TensorInfo) -> Array:
    """An array as [samples, *shape of the input], in the input's type."""
    place = f"{path}: {name}"
    elements = int(np.prod(info.shape))
    if data.ndim < 1 or data.size == 0 or data[0].size != elements:
        found = f"it is {data.dtype.name} {list(data.shape)}"
        raise UsageError(
            Problem(place, found, f"samples of {elements} elements for input {info.dtype} {list(info.shape)}")
        )
    values = _as_input(place, data, info)
    return values.reshape(len(data), *info.shape)


def _as_input(place: str, data: Array, info: TensorInfo) -> Array:
    dtype = np.dtype(info.dtype)
    if data.dtype == dtype:
        return data
    if data.dtype.kind == "f" and dtype.kind == "f":
        return data.astype(dtype)
    if data.dtype.kind == "f" and info.scale:
        limits = np.iinfo(dtype)
        levels = np.round(data.astype(np.float64) / info.scale) + (info.zero_point or 0)
        quantized: Array = np.clip(levels, limits.min, limits.max).astype(dtype)
        return quantized
    supported = f"{info.dtype}, or float that is quantized to it"
    raise UsageError(Problem(place, f"it is {data.dtype.name}", f"the model takes {supported}"))
