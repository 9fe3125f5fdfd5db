"""Cases of operators that give their input another shape: an output that shares its storage must still be an output."""

from tests.ops.case import Case, Operand, one_op
from tflite_support.builder import Spec

Shape = tuple[int, ...]

TYPES = ("uint8", "int16", "int32", "int64", "float32", "bool")


def view(
    name: str, kind: str, x: Shape, y: Shape, *further: Operand, dtype: str = "int8", **options: object
) -> Case:
    """An operator that makes shape `y` of `x`; int8, uint8 and int16 are quantized."""
    quantized = dtype in ("int8", "uint8", "int16")
    scale, zero_point = (0.05, 0 if dtype == "int16" else 7) if quantized else (None, 0)
    before, after = (Spec(shape, dtype, scale, zero_point) for shape in (x, y))
    return one_op(name, kind, [before, *further], after, **options)
