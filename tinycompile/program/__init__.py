"""The program: everything that C is printed from. Code generation never looks back at the graph.

Program
|- ports          inputs and outputs of the C API
|- constants      packed weights, biases, tables
|- functions      kernels specialised to a shape: a template and the values of its holes
|- regions        in order of execution; each runs one stage (a plain layer) or streams rows through several
|    `- stages    one kernel, the operands of its calls, its scratch
`- layers         what comments and reports say of each stage
"""

from tinycompile.program.constants import Constant, StateValue
from tinycompile.program.convention import C_TYPES, Granularity, Parameter, Passing, RowFormat
from tinycompile.program.layers import Layer, short_name
from tinycompile.program.operands import Operand, Piece, Port, Space
from tinycompile.program.program import KernelCode, KernelFunction, Program
from tinycompile.program.regions import Pull, RegionCode, Stage

__all__ = [
    "C_TYPES",
    "Constant",
    "Granularity",
    "KernelCode",
    "KernelFunction",
    "Layer",
    "Operand",
    "Parameter",
    "Passing",
    "Piece",
    "Port",
    "Program",
    "Pull",
    "RegionCode",
    "RowFormat",
    "Space",
    "Stage",
    "StateValue",
    "short_name",
]
