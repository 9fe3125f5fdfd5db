"""RESHAPE: the same elements under another shape. A view, no code."""

from tinycompile.ops._views import View
from tinycompile.ops.base import register


@register
class Reshape(View):
    """RESHAPE for every element type."""

    kind = "RESHAPE"
