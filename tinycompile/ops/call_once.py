"""CALL_ONCE: runs a subgraph before the first call, to give variables their initial values.

Source of the semantics: tensorflow/lite/kernels/call_once.cc.
"""

from tinycompile.ops._resolved import Resolved
from tinycompile.ops.base import register


@register
class CallOnce(Resolved):
    """CALL_ONCE in front of all uses of variables; its subgraph is evaluated when the model is read."""

    kind = "CALL_ONCE"
