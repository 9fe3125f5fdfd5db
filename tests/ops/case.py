"""Cases of the operator matrix: a tiny .tflite model of one operator with samples that look for its edges."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflite_support.builder import Builder, Spec

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Case:
    """A model with its samples: for each sample one array for each input.

    `oracle` is the reference that takes the model.
    """

    id: str
    model: bytes = field(repr=False)
    samples: tuple[tuple[Array, ...], ...] = field(repr=False)
    oracle: str = "tflite-runtime"


@dataclass(frozen=True, eq=False)
class Const:
    """A constant operand, with its quantization and type as `Builder.const` takes them."""

    values: Array
    scale: float | Sequence[float] | None = None
    zero_point: int = 0
    axis: int = 0
    dtype: str | None = None


Operand = Spec | Const | None
"""An input of the model, a constant, or nothing."""


def one_op(
    name: str,
    kind: str,
    operands: Sequence[Operand],
    outputs: Spec | Sequence[Spec],
    *,
    oracle: str = "tflite-runtime",
    version: int | None = None,
    **options: Any,
) -> Case:
    """A case of one operator; every Spec among the operands is an input of the model, but for variables."""
    builder = Builder()
    handles = [_handle(builder, operand) for operand in operands]
    inputs = [handle for handle, operand in zip(handles, operands, strict=True) if _is_input(operand)]
    results = builder.op(kind, handles, outputs, version=version, **options)
    model = builder.finish(inputs, [results] if isinstance(results, int) else results)
    specs = [operand for operand in operands if isinstance(operand, Spec) and _is_input(operand)]
    return Case(name, model, make_samples(rng_of(name), specs), oracle)


def _is_input(operand: Operand) -> bool:
    return isinstance(operand, Spec) and not operand.is_variable


def _handle(builder: Builder, operand: Operand) -> int | None:
    if operand is None:
        return None
    if isinstance(operand, Spec):
        return builder.tensor(operand)
    return builder.const(operand.values, operand.scale, operand.zero_point, operand.axis, operand.dtype)


def rng_of(name: str) -> np.random.Generator:
    """Random numbers that depend on the name of a case only, not on its place in the table."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def make_samples(rng: np.random.Generator, specs: Sequence[Spec]) -> tuple[tuple[Array, ...], ...]:
    """Values over the full range; only least and greatest ones; values near the zero point, where rounding is seen."""
    makers = (_anywhere, _extremes, _near_zero)
    return tuple(tuple(make(rng, spec) for spec in specs) for make in makers)


def _anywhere(rng: np.random.Generator, spec: Spec) -> Array:
    if spec.dtype == "bool":
        return rng.integers(0, 2, spec.shape).astype(bool)
    if spec.dtype.startswith("float"):
        return (rng.normal(0, 1, spec.shape) * 10).astype(spec.dtype)
    low, high = _limits(spec)
    return rng.integers(low, high + 1, spec.shape).astype(spec.dtype)


def _extremes(rng: np.random.Generator, spec: Spec) -> Array:
    if spec.dtype == "bool":
        return np.ones(spec.shape, bool)
    if spec.dtype.startswith("float"):
        return rng.choice(np.array([-1e4, -0.5, 0.0, 0.5, 1e4]), spec.shape).astype(spec.dtype)
    low, high = _limits(spec)
    return rng.choice(np.array([low, high]), spec.shape).astype(spec.dtype)


def _near_zero(rng: np.random.Generator, spec: Spec) -> Array:
    if spec.dtype == "bool":
        return np.zeros(spec.shape, bool)
    if spec.dtype.startswith("float"):
        # ties: multiples of half a step of common scales
        return (rng.integers(-40, 41, spec.shape) * 0.0625).astype(spec.dtype)
    low, high = _limits(spec)
    zero_point = spec.zero_point if isinstance(spec.zero_point, int) else 0
    return np.clip(zero_point + rng.integers(-6, 7, spec.shape), low, high).astype(spec.dtype)


def _limits(spec: Spec) -> tuple[int, int]:
    """Least and greatest value; 32 and 64 bits stay where sums and products do not overflow, which C leaves undefined."""
    info = np.iinfo(spec.dtype)
    return (int(info.min), int(info.max)) if info.bits <= 16 else (-30_000, 30_000)


def int8(shape: tuple[int, ...], scale: float = 0.05, zero_point: int = 0) -> Spec:
    """An int8 activation."""
    return Spec(shape, "int8", float(np.float32(scale)), zero_point)


def weights(rng: np.random.Generator, shape: tuple[int, ...], kind: str = "random") -> Array:
    """int8 weights: `random` in -127..127, `extreme` only -127 and 127, `lowest` with -128 too, `sparse` mostly zero."""
    if kind == "extreme":
        return rng.choice(np.array([-127, 127]), shape).astype(np.int8)
    if kind == "lowest":
        return rng.choice(np.array([-128, 127, -1, 1]), shape).astype(np.int8)
    values = rng.integers(-127, 128, shape)
    return (values * (rng.random(shape) < 0.2) if kind == "sparse" else values).astype(np.int8)


def spread_scale(scale: float, terms: int) -> float:
    """Output scale under which sums of so many products of scale `scale` fill the int8 range and saturate at times."""
    return float(np.float32(scale * 74 * 74 * np.sqrt(terms) / 50))


def biases(rng: np.random.Generator, count: int, terms: int) -> Array:
    """int32 biases as large as the sums of so many products usually are."""
    reach = int(74 * 74 * np.sqrt(terms))
    return rng.integers(-reach, reach + 1, count).astype(np.int32)
