"""SQUEEZE: without dimensions of extent 1. A view, no code."""

from tinycompile.ops._views import View
from tinycompile.ops.base import register


@register
class Squeeze(View):
    """SQUEEZE for every element type."""

    kind = "SQUEEZE"
