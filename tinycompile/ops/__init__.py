"""The operators: one file each. This is the front door; modules with an underscore are private to the package."""

from tinycompile.ops._bodies import Body, ControlAttributes
from tinycompile.ops._column_copies import ColumnsAttributes
from tinycompile.ops._convolution import ConvolutionAttributes, convolution_window
from tinycompile.ops._convolution import attributes_of as convolution_attributes
from tinycompile.ops._copy import DataMovement
from tinycompile.ops._fully_connected import attributes_of as fully_connected_attributes
from tinycompile.ops._linear import bias_values, clamps, convolution_multipliers, matrix_multipliers
from tinycompile.ops._lookup import Unary, byte_function
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops._transposed import TransposeConvAttributes, transposed_axes
from tinycompile.ops._window import Pads, Window, WindowAxis
from tinycompile.ops.access import POINTWISE, REDUCE, WHOLE, Access, Pattern, planar_row_bytes, row_shape
from tinycompile.ops.assign_variable import AssignVariableAttributes, Move
from tinycompile.ops.base import Cost, CustomOperator, Kernel, Limit, Operation, Operator, TypeRule, register
from tinycompile.ops.catalog import find_operator, operation, operator_named, operator_of, operators
from tinycompile.ops.columns import Columns, attributes_of_columns, columns_before, needed_columns
from tinycompile.ops.dynamic_quantize import DynamicQuantizeAttributes, dynamic_quantization
from tinycompile.ops.interpret import State, evaluate_graph, evaluate_node, initial_state, next_state
from tinycompile.ops.lookup import LookupAttributes
from tinycompile.ops.plugin import load_plugin, unload_plugins
from tinycompile.ops.quantize_lookup import QuantizeLookupAttributes
from tinycompile.ops.rows import RowRun, RowsAttributes, is_gathered, row_runs, shown_tensors

__all__ = [
    "POINTWISE", "REDUCE", "WHOLE", "Access", "AssignVariableAttributes", "Body", "Columns",
    "ColumnsAttributes", "ControlAttributes", "ConvolutionAttributes", "Cost", "CustomOperator",
    "DataMovement", "DynamicQuantizeAttributes", "Kernel", "Limit", "LookupAttributes", "Move", "Operation", "Operator", "Pads",
    "Pattern", "QuantizeLookupAttributes", "RowRun", "RowsAttributes", "State", "TemplateCode", "TemplateKernel",
    "TransposeConvAttributes", "TypeRule", "Unary",
    "Window", "WindowAxis", "attributes_of_columns", "bias_values", "byte_function", "clamps", "columns_before",
    "convolution_attributes", "convolution_multipliers", "convolution_window", "dynamic_quantization",
    "evaluate_graph", "evaluate_node", "find_operator", "fully_connected_attributes", "initial_state", "is_gathered",
    "load_plugin", "matrix_multipliers", "needed_columns", "next_state", "operation", "operator_named", "operator_of",
    "operators", "planar_row_bytes", "register", "row_runs", "row_shape", "shown_tensors", "transposed_axes", "unload_plugins",
]  # fmt: skip
