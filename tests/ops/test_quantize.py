"""QUANTIZE against the reference: from float with its ties, and from integers of another scale or type."""

from dataclasses import dataclass

import numpy as np

from tests.ops.case import Case, make_samples, one_op, rng_of
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Builder, Spec


@dataclass(frozen=True)
class Quantize:
    """From one type to another; scale and zero point of the input are not used for float32."""

    source: str = "float32"
    target: str = "int8"
    scales: tuple[float, float] = (0.05, 0.125)
    zero_points: tuple[int, int] = (-3, 5)
    x: tuple[int, ...] = (1, 4, 5, 3)


_TABLE = {
    "float": Quantize(),
    "float_ties": Quantize(scales=(1, 0.0625 * 2), zero_points=(0, 0)),
    "float_ties_odd_zero_point": Quantize(scales=(1, 0.125), zero_points=(0, -7)),
    "float_zero_point_low": Quantize(zero_points=(0, -128)),
    "float_zero_point_high": Quantize(zero_points=(0, 127)),
    "float_fine": Quantize(scales=(1, 0.003921568859368563)),
    "float_coarse": Quantize(scales=(1, 300.0)),
    "float_uint8": Quantize(target="uint8", zero_points=(0, 128)),
    "float_int16": Quantize(target="int16", zero_points=(0, 0), scales=(1, 0.0003)),
    "float_vector": Quantize(x=(13,)),
    "int8_same": Quantize(source="int8", scales=(0.05, 0.05), zero_points=(3, 3)),
    "int8_shifted": Quantize(source="int8", scales=(0.05, 0.05), zero_points=(3, -100)),
    "int8_finer": Quantize(source="int8", scales=(0.05, 0.02)),
    "int8_coarser": Quantize(source="int8", scales=(0.05, 0.3)),
    "int8_power_of_two": Quantize(source="int8", scales=(0.5, 1.0), zero_points=(0, 0)),
    "int8_zero_points": Quantize(source="int8", scales=(0.05, 0.06), zero_points=(-128, 127)),
    "int8_uint8": Quantize(source="int8", target="uint8", scales=(0.05, 0.05), zero_points=(-128, 0)),
    "int8_uint8_other_scale": Quantize(source="int8", target="uint8", zero_points=(-3, 128)),
    "uint8_int8": Quantize(source="uint8", scales=(0.05, 0.05), zero_points=(128, 0)),
    "uint8_int8_other_scale": Quantize(source="uint8", zero_points=(100, -20)),
    "uint8_same": Quantize(source="uint8", target="uint8", scales=(0.05, 0.07), zero_points=(3, 200)),
    "int16_int8": Quantize(source="int16", scales=(0.0003, 0.05), zero_points=(0, -5)),
    "int16_int16": Quantize(source="int16", target="int16", scales=(0.0003, 0.0005), zero_points=(0, 0)),
    "int8_int16": Quantize(source="int8", target="int16", scales=(0.05, 0.0003), zero_points=(-3, 0)),
    "int8_int32": Quantize(source="int8", target="int32", scales=(0.05, 0.00003), zero_points=(-3, 0)),
    "int16_int32": Quantize(source="int16", target="int32", scales=(0.05, 0.0013), zero_points=(0, 0)),
    "int16_int32_coarser": Quantize(source="int16", target="int32", scales=(0.05, 0.13), zero_points=(0, 0)),
    "int16_int32_zero_point": Quantize(
        source="int16", target="int32", scales=(0.05, 0.13), zero_points=(-32768, 0)
    ),
    "int32_int8": Quantize(source="int32", scales=(0.0003, 0.05), zero_points=(0, -5)),
    "int32_int16": Quantize(source="int32", target="int16", scales=(0.0003, 0.0005), zero_points=(0, 0)),
    **{
        f"int8_ratio_{n}": Quantize(source="int8", scales=(0.05, float(np.float32(0.05 * n / 7))))
        for n in range(1, 9)
    },
}


def _case(name: str, quantize: Quantize) -> Case:
    x = Spec(quantize.x, quantize.source, quantize.scales[0], quantize.zero_points[0])
    if quantize.source == "float32":
        x = Spec(quantize.x, "float32")
    y = Spec(quantize.x, quantize.target, quantize.scales[1], quantize.zero_points[1])
    # what tflite-runtime refuses
    is_wider = quantize.source == "int8" and quantize.target in ("int16", "int32")
    has_zero_point = quantize.source == "int16" and quantize.zero_points[0] != 0
    oracle = "tflm" if is_wider or has_zero_point else "tflite-runtime"
    return one_op(name, "QUANTIZE", [x], y, oracle=oracle)


class TestQuantize(OperatorMatrix):
    cases = tuple(_case(name, quantize) for name, quantize in _TABLE.items())


def _through_a_table(name: str, first: Spec, kind: str, second: Spec) -> Case:
    """Floats quantized, and a function of the levels, which a pass joins."""
    builder, source = Builder(), Spec(first.shape, "float32")
    x = builder.tensor(source)
    y = builder.op(kind, [builder.op("QUANTIZE", [x], first)], second)
    return Case(name, builder.finish([x], [y]), make_samples(rng_of(name), [source]))


class TestQuantizeThroughATable(OperatorMatrix):
    cases = tuple(
        _through_a_table(
            f"{kind}_{levels}_{elements}",
            Spec((1, 3, 1, elements), levels, 0.0234, zero_point),
            kind,
            Spec((1, 3, 1, elements), levels, *result),
        )
        for levels, zero_point in (("int8", -5), ("uint8", 130))
        for kind, result in (
            ("QUANTIZE", (0.07, 9)),
            ("QUANTIZE", (0.0123, 120)),
            ("LOGISTIC", (1 / 256, -128 if levels == "int8" else 0)),
        )
        for elements in ((3, 8) if kind == "QUANTIZE" and result[1] == 9 else (13, 40))
    )
