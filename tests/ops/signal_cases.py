"""Cases of TFLM's audio operators: custom operators with FlexBuffer options, which only TFLM computes."""

from collections.abc import Sequence
from typing import Any

from flatbuffers import flexbuffers

from tests.ops.case import Array, Case, Const, Operand, make_samples, rng_of
from tflite_support.builder import Builder, Spec


def flexbuffer(**options: Any) -> bytes:
    """A FlexBuffer map of these options."""
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, value in options.items():
            builder.Key(name)
            builder.Add(value)
    return bytes(builder.Finish())


def signal_case(
    name: str,
    kind: str,
    operands: Sequence[Operand],
    outputs: Spec | Sequence[Spec],
    samples: Sequence[tuple[Array, ...]] | None = None,
    rounds: int = 1,
    **options: Any,
) -> Case:
    """A case of one operator; without samples those of the matrix, so many rounds of them."""
    builder = Builder()
    specs = [operand for operand in operands if isinstance(operand, Spec)]
    handles = [builder.const(o.values) if isinstance(o, Const) else o and builder.tensor(o) for o in operands]
    results = builder.op(kind, handles, outputs, custom_options=flexbuffer(**options))
    inputs = [handle for handle, operand in zip(handles, operands, strict=True) if isinstance(operand, Spec)]
    model = builder.finish(inputs, [results] if isinstance(results, int) else results)
    rng = rng_of(name)
    given = samples or [sample for _ in range(rounds) for sample in make_samples(rng, specs)]
    return Case(name, model, tuple(given), oracle="tflm")
