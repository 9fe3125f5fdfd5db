"""VAR_HANDLE: names a resource variable by container and shared name.

Source of the semantics: tensorflow/lite/kernels/var_handle.cc.
"""

from tinycompile.ops._resolved import Resolved
from tinycompile.ops.base import register


@register
class VarHandle(Resolved):
    """VAR_HANDLE whose handle only READ_VARIABLE and ASSIGN_VARIABLE take; resolved when the model is read."""

    kind = "VAR_HANDLE"
