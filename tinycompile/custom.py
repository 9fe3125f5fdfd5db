"""All that a plugin with custom operators imports; docs/custom-operators.md takes a reader through one."""

from tinycompile.board import Board
from tinycompile.ir import Array, Attributes, DType, Options, Quantization, Tensor
from tinycompile.ops import (
    POINTWISE,
    WHOLE,
    Access,
    Cost,
    CustomOperator,
    Kernel,
    Operation,
    TemplateCode,
    TemplateKernel,
    TypeRule,
    register,
)
from tinycompile.program import Constant, Granularity, KernelCode, Passing
from tinycompile.quant import quantize_multiplier

__all__ = [
    "POINTWISE", "WHOLE", "Access", "Array", "Attributes", "Board", "Constant", "Cost", "CustomOperator",
    "DType", "Granularity", "Kernel", "KernelCode", "Operation", "Options", "Passing", "Quantization",
    "TemplateCode", "TemplateKernel", "Tensor", "TypeRule", "quantize_multiplier", "register",
]  # fmt: skip
