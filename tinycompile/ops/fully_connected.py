"""FULLY_CONNECTED: products of vectors with a weight matrix.

Source of the semantics: `FullyConnected` and `FullyConnectedPerChannel` in
tensorflow/lite/kernels/internal/reference/integer_ops/fully_connected.h.
"""

from typing import ClassVar

from tinycompile.assembly.matrix_shape import Weights
from tinycompile.assembly.sparse_records import BLOCKS, VECTOR
from tinycompile.ir import Array, DType, Options
from tinycompile.ops._dynamic import DYNAMIC, HYBRID, HYBRID_INT4
from tinycompile.ops._fully_connected import FullyConnectedAttributes, attributes_of
from tinycompile.ops._fully_connected_asm import FullyConnectedAsm
from tinycompile.ops._fully_connected_portable import FullyConnectedPortable
from tinycompile.ops._gemm_vector import FullyConnectedVectorAsm
from tinycompile.ops._linear import (
    activation_problem,
    bias_problem,
    has_constant_weights,
    has_per_tensor_activations,
    matrix_multipliers,
    multiplier_problem,
    requantizes,
    weight_quantization_problem,
)
from tinycompile.ops._linear_float import FullyConnectedFloat
from tinycompile.ops._schemes import FLOAT, INT8, INT16, INT16_BIAS_32, UINT8, KernelsByScheme, LinearOperator
from tinycompile.ops._sparse_asm import FullyConnectedSparse
from tinycompile.ops._vector_dsp import FullyConnectedDsp
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, register
from tinycompile.quant import Activation


def has_matrix(operation: Operation) -> str | None:
    """Weights are a matrix [units, depth], and the input's elements are a multiple of depth."""
    source, weights = operation.inputs[0], operation.inputs[1]
    if source is None or weights is None:
        return "input or weights are missing"
    if len(weights.shape) != 2 or min(weights.shape) < 1:
        return f"weights are {weights.describe()}"
    if not source.shape or source.elements < 1 or source.elements % weights.shape[1]:
        return f"input {source.describe()}, weights {weights.describe()}"
    if attributes_of(operation).keep_dimensions and source.shape[-1] != weights.shape[1]:
        return f"dimensions are kept, but input is {source.describe()} and weights are {weights.describe()}"
    return None


def has_full_bias(operation: Operation) -> str | None:
    """The bias, when there is one, has one element for each unit."""
    return None if has_matrix(operation) else bias_problem(operation, operation.input(1).shape[0])


def has_clamp_activation(operation: Operation) -> str | None:
    """The fused activation is NONE, RELU, RELU6 or RELU_N1_TO_1."""
    return activation_problem(attributes_of(operation).activation)


def has_default_format(operation: Operation) -> str | None:
    """Weights are stored in the DEFAULT format."""
    found = attributes_of(operation).weights_format
    return None if found == "DEFAULT" else f"weights format is {found}"


def has_weight_scales(operation: Operation) -> str | None:
    """Weights have one scale and zero point (int16: 0), or a scale for each unit and zero points 0;
    factors to the output scale stay below 2**30 (int16: 2**7).
    """
    if has_matrix(operation):
        return None
    units = operation.input(1).shape[0]
    problem = weight_quantization_problem(operation, units)
    if problem or has_per_tensor_activations(operation) or not requantizes(operation):
        return problem
    found = operation.input(1).quantization
    assert found is not None
    is_symmetric = found.per_channel or operation.output.dtype is DType.INT16
    if len(set(found.zero_points)) > 1 or (is_symmetric and found.zero_points[0] != 0):
        return f"weights have {len(found.scales)} scales and zero points other than 0"
    return multiplier_problem(operation, matrix_multipliers(operation, units))


@register
class FullyConnected(LinearOperator):
    """FULLY_CONNECTED."""

    kind = "FULLY_CONNECTED"
    limits = (
        has_matrix,
        has_constant_weights,
        has_full_bias,
        has_clamp_activation,
        has_default_format,
        has_per_tensor_activations,
        has_weight_scales,
    )
    min_inputs = 2
    max_inputs = 3
    schemes: ClassVar[KernelsByScheme] = {
        INT8: (
            FullyConnectedAsm(Weights.PACKED),
            FullyConnectedAsm(Weights.CHAINED),
            FullyConnectedAsm(),
            FullyConnectedVectorAsm(Weights.PACKED),
            FullyConnectedVectorAsm(Weights.CHAINED),
            FullyConnectedVectorAsm(),
            FullyConnectedSparse(),
            FullyConnectedSparse(VECTOR),
            FullyConnectedSparse(BLOCKS),
            FullyConnectedDsp(),
            FullyConnectedPortable(),
        ),
        UINT8: (FullyConnectedPortable(),),
        INT16: (FullyConnectedPortable(),),
        INT16_BIAS_32: (FullyConnectedPortable(),),
        FLOAT: (FullyConnectedFloat(),),
        HYBRID: (),  # a pass makes it DYNAMIC
        HYBRID_INT4: (),
        DYNAMIC: (FullyConnectedPortable(),),
    }

    def parse(self, options: Options) -> FullyConnectedAttributes:
        """Read FullyConnectedOptions."""
        return FullyConnectedAttributes(
            activation=Activation(options.get("fused_activation_function", "NONE")),
            keep_dimensions=bool(options.get("keep_num_dims", False)),
            weights_format=str(options.get("weights_format", "DEFAULT")),
            asymmetric_inputs=bool(options.get("asymmetric_quantize_inputs", False)),
        )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """An input of batch * depth elements and weights [units, depth] give [batch, units], or [..., units]."""
        source, (units, depth) = operation.input(0), operation.input(1).shape
        if attributes_of(operation).keep_dimensions:
            return ((*source.shape[:-1], units),)
        return ((source.elements // depth, units),)

    def sums(self, operation: Operation, source: Array, weights: Array) -> Array:
        """The matrix product."""
        products: Array = source.reshape(-1, weights.shape[1]) @ weights.T
        return products.reshape(self.infer(operation)[0])

    def access(self, operation: Operation, index: int) -> Access:
        """Every unit reads the whole input."""
        return WHOLE

    def macs(self, operation: Operation) -> int:
        """One for each output element and element of the input vector."""
        return operation.output.elements * operation.input(1).shape[1]
