"""READ_VARIABLE: the value of a resource variable.

The frontend has replaced the handle by the tensor that holds the value at this place. Source of the semantics:
tensorflow/lite/kernels/read_variable.cc.
"""

from tinycompile.ops._copy import moves_type
from tinycompile.ops._limits import has_elements
from tinycompile.ops._views import View
from tinycompile.ops.base import Operation, register


def has_shape_of_the_variable(operation: Operation) -> str | None:
    """The variable is read with the shape in which it was assigned."""
    source = operation.inputs[0]
    if source is None or source.shape == operation.output.shape:
        return None
    return f"{operation.output.describe()} is read, {source.describe()} was assigned"


@register
class ReadVariable(View):
    """READ_VARIABLE of a variable that was initialised or assigned before."""

    kind = "READ_VARIABLE"
    types = moves_type()
    limits = (has_elements, has_shape_of_the_variable)
    max_inputs = 1
