"""The operators: one file each. This is the front door; modules with an underscore are private to the package."""

from tinycompile.ops._convolution import ConvolutionAttributes, convolution_window
from tinycompile.ops._convolution import attributes_of as convolution_attributes
from tinycompile.ops._fully_connected import attributes_of as fully_connected_attributes
from tinycompile.ops._linear import bias_values, clamps, convolution_multipliers, matrix_multipliers
from tinycompile.ops._window import Pads, Window, WindowAxis
from tinycompile.ops.access import POINTWISE, REDUCE, WHOLE, Access, Pattern, row_shape
from tinycompile.ops.base import Cost, Kernel, Limit, Operation, Operator, TypeRule
from tinycompile.ops.catalog import operation, operator_of, operators
from tinycompile.ops.assign_variable import AssignVariableAttributes, Move
from tinycompile.ops._copy import DataMovement
from tinycompile.ops.rows import RowRun, RowsAttributes, is_gathered, row_runs, shown_tensors
from tinycompile.ops.interpret import State, evaluate_graph, evaluate_node, initial_state, next_state

__all__ = [
    "POINTWISE", "REDUCE", "WHOLE", "Access", "ConvolutionAttributes", "Cost", "Kernel", "Limit", "Operation",
    "Operator", "Pads", "Pattern", "State", "TypeRule", "Window", "WindowAxis", "bias_values", "clamps",
    "convolution_attributes", "convolution_multipliers", "convolution_window", "evaluate_graph",
    "evaluate_node", "fully_connected_attributes", "initial_state", "matrix_multipliers", "next_state",
    "operation", "operator_of", "operators", "row_shape",
]  # fmt: skip
