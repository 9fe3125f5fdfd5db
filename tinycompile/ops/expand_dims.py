"""EXPAND_DIMS: with one more dimension of extent 1. A view, no code."""

from tinycompile.ops._views import View
from tinycompile.ops.base import register


@register
class ExpandDims(View):
    """EXPAND_DIMS for every element type."""

    kind = "EXPAND_DIMS"
